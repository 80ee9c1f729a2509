package process

import (
	"fmt"
	"io"
	"syscall"

	"balancerd/cmd/balancerd/cli"
)

// signalVerbs are the verbs of -k that end at a running server, with the signal for each.
var signalVerbs = map[string]syscall.Signal{
	"stop": syscall.SIGTERM, "graceful-stop": syscall.SIGWINCH, "restart": syscall.SIGHUP, "graceful": syscall.SIGUSR1,
}

// SignalsServer reports whether a verb of -k is for a server that runs.
func SignalsServer(verb string) bool { return signalVerbs[verb] != 0 }

// Control does what -k says to the server of the pid file. start: there is none, and one shall be
// (httpd: mpm_unix.c ap_signal_server).
func Control(verb string, p *PidFile, out, errs io.Writer) (start bool, exit int) {
	pid, err := p.read()
	if err != nil {
		fmt.Fprintf(errs, "%s: AH00058: Error retrieving pid file %s\nAH00059: Remove it before continuing if it is corrupted.\n", cli.ErrnoOf(err), p.Path)
		return false, 1
	}
	running := p.alive(pid)
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
	if err := syscall.Kill(pid, signalVerbs[verb]); err != nil {
		fmt.Fprintf(errs, "%s: AH00057: sending signal to server\n", cli.ErrnoOf(err))
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
