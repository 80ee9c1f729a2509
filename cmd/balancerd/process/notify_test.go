package process

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestJournal(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "journal")
	c, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	was := journalSocket
	journalSocket = socket
	defer func() { journalSocket = was }()
	journal("one\ntwo\n")
	b := make([]byte, 4096)
	for _, want := range []string{"one", "two"} {
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, _, err := c.ReadFrom(b)
		if got := string(b[:n]); err != nil || got != "PRIORITY=3\nSYSLOG_IDENTIFIER=balancerd\nMESSAGE="+want+"\n" {
			t.Errorf("%q %v", got, err)
		}
	}
}
