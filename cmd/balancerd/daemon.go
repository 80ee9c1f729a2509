package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"balancerd/proxy/logfile"
)

// readyVar tells a server in the background at which descriptor its launcher waits for a byte.
const readyVar = "BALANCERD_READY_FD"

// detachServer starts this program once more, in a session of its own, and waits until it serves: the exit
// status is 0 as soon as its sockets and logs are open. What goes wrong before that, it says itself.
func detachServer(o *options) int {
	self, err := os.Executable()
	if err != nil {
		return complain(o.name, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return complain(o.name, err)
	}
	cmd := exec.Command(self, o.args...)
	cmd.Args[0] = o.argv0
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	cmd.Env = append(os.Environ(), readyVar+"=3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return complain(o.name, err)
	}
	w.Close()
	if n, _ := io.ReadFull(r, make([]byte, 1)); n == 1 {
		return 0
	}
	if err := cmd.Wait(); err == nil {
		return 0 // there is one already
	}
	return max(cmd.ProcessState.ExitCode(), 1)
}

func complain(name string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	return 1
}

// launcher is where a server in the background reports; the zero value is the foreground.
type launcher struct{ pipe *os.File }

// ownLauncher is the one that started this process. The variable is not for the programs that this
// one starts.
func ownLauncher() launcher {
	fd, err := strconv.Atoi(os.Getenv(readyVar))
	os.Unsetenv(readyVar)
	if err != nil || fd < 3 {
		return launcher{}
	}
	syscall.CloseOnExec(fd)
	return launcher{os.NewFile(uintptr(fd), "launcher")}
}

func (l launcher) background() bool { return l.pipe != nil }

// ready leaves the terminal and lets the launcher go. What is written on stderr from now on, a panic
// above all, goes to errors.
func (l launcher) ready(errors func(fd int) error) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for _, fd := range []int{0, 1} {
		if err := logfile.Duplicate(int(null.Fd()), fd); err != nil {
			return err
		}
	}
	if err := errors(2); err != nil {
		logfile.Duplicate(int(null.Fd()), 2)
	}
	l.pipe.Write([]byte{1})
	return l.pipe.Close()
}
