package main

import (
	"fmt"
	"io"
	"syscall"

	"balancerd/proxy/exchange"
)

// signals of the verbs that speak to a running server.
var verbSignals = map[string]syscall.Signal{
	"stop": syscall.SIGTERM, "graceful-stop": syscall.SIGWINCH, "restart": syscall.SIGHUP, "graceful": syscall.SIGUSR1,
}

// tells are the verbs that end at the running server, which has said its hints.
var tells = map[string]bool{"stop": true, "graceful-stop": true, "graceful": true, "restart": true}

// control does what -k says to the server of the pid file. start: there is none, and one shall be
// (httpd: mpm_unix.c ap_signal_server).
func control(verb string, p *pidFile, out, errs io.Writer) (start bool, exit int) {
	pid, err := p.read()
	if err != nil {
		fmt.Fprintf(errs, "%s: AH00058: Error retrieving pid file %s\nAH00059: Remove it before continuing if it is corrupted.\n", errnoOf(err), p.path)
		return false, 1
	}
	running := alive(pid)
	switch verb {
	case "", "start":
		if running {
			fmt.Fprintf(out, "httpd (pid %d) already running\n", pid)
		}
		return !running, 0
	case "restart", "graceful":
		if !running {
			fmt.Fprintln(out, "httpd not running, trying to start")
			return true, 0
		}
	default:
		if !running {
			fmt.Fprintln(out, notRunning(pid))
			return false, 0
		}
	}
	if err := syscall.Kill(pid, verbSignals[verb]); err != nil {
		fmt.Fprintf(errs, "%s: AH00057: sending signal to server\n", errnoOf(err))
		if verb != "stop" {
			exit = 1
		}
	}
	return false, exit
}

func notRunning(pid int) string {
	if pid == 0 {
		return "httpd (no pid file) not running"
	}
	return fmt.Sprintf("httpd (pid %d?) not running", pid)
}

// errnoOf is the operating system's part of a startup message: "(2)No such file or directory".
func errnoOf(err error) string {
	if text := exchange.ErrnoText(err); text != "" {
		return text
	}
	return err.Error()
}
