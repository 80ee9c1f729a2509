package process

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// notify reports the state of the server to the service manager, where it asks for that (sd_notify(3)): a
// unit of Type=notify, as httpd's own with mod_systemd, waits for READY=1.
func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	if name[0] == '@' {
		name = "\x00" + name[1:]
	}
	c, err := net.Dial("unixgram", name)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second))
	c.Write([]byte(state + "\nMAINPID=" + strconv.Itoa(os.Getpid()) + "\n"))
}

// The states.
const (
	notifyReady     = "READY=1\nSTATUS=serving"
	notifyReloading = "RELOADING=1\nSTATUS=reading the configuration"
	notifyStopping  = "STOPPING=1\nSTATUS=ending"
)

// tellManager reports to the service manager that a reload failed: in its status line, and in the journal, where
// who has called "systemctl reload" looks.
func (s *supervisor) tellManager(words string) {
	first, _, _ := strings.Cut(words, "\n")
	if rest, ok := strings.CutPrefix(words, first+"\n"); ok && strings.HasPrefix(first, "AH00526:") {
		second, _, _ := strings.Cut(rest, "\n")
		first += " " + second
	}
	notify("READY=1\nSTATUS=not reloaded, the old configuration serves: " + first)
	const lead = "balancerd: the configuration was not loaded; the old one goes on serving: "
	switch {
	case os.Getenv("JOURNAL_STREAM") != "" && !s.background:
		fmt.Fprintln(s.Errs, lead+words)
	case os.Getenv("INVOCATION_ID") != "":
		journal(lead + words)
	}
}

// journalSocket is where journald takes messages (systemd: "Native Journal Protocol").
var journalSocket = "/run/systemd/journal/socket"

// journal writes an error to journald, each line as one message.
func journal(text string) {
	c, err := net.Dial("unixgram", journalSocket)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second))
	for line := range strings.Lines(text) {
		fmt.Fprintf(c, "PRIORITY=3\nSYSLOG_IDENTIFIER=balancerd\nMESSAGE=%s\n", strings.TrimSuffix(line, "\n"))
	}
}
