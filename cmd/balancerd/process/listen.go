package process

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"balancerd/proxy/server"
)

// StillServed takes the end of a start out of an error of one address: where a server runs, or none is
// started, nothing shuts down.
func StillServed(err error) error {
	var e *server.ListenError
	if !errors.As(err, &e) || e.Message == server.NoSockets {
		return err
	}
	short := *e
	short.Message = strings.TrimSuffix(e.Message, "\n"+server.NoSockets)
	return &short
}

// ListenHint says where the address stands that can't be listened on, and who has it; "" for another error.
func ListenHint(err error) string {
	var e *server.ListenError
	if !errors.As(err, &e) || e.At.Pos == "" {
		return ""
	}
	line := "hint: " + e.At.Pos + ": Listen " + e.At.Text
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		holders := portHolders(e.At.Address)
		if names := holderNames(holders); names != "" {
			return line + ": taken by " + names + otherPidFile(serverOf(holders))
		}
		return line + ": another process, or another Listen line, has it"
	case errors.Is(e.Err, syscall.EACCES):
		return line + ": only root may; where no file has a Listen line, -c \"Listen 8080\" takes another port"
	}
	return line
}

// otherPidFile says how to reach a server of ours that the pid file does not name; "" for pid 0.
func otherPidFile(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(", a server with another PidFile: -k reaches it with the PidFile that it was started with; without, kill -USR1 %d reloads it, kill -TERM %[1]d stops it", pid)
}
