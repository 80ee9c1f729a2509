package process

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/log/sink"
)

// readyVar names for a server in the background the descriptor at which its launcher waits for a byte.
const readyVar = "BALANCERD_READY_FD"

// Detach starts this program once more, in a session of its own, and waits until it serves: the exit
// status is 0 as soon as its sockets and logs are open. What goes wrong before that, it says itself.
func Detach(o *cli.Options) int {
	self, err := os.Executable()
	if err != nil {
		return cli.Complain(o.Name, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return cli.Complain(o.Name, err)
	}
	cmd := exec.Command(self, o.Args...)
	cmd.Args[0] = o.Argv0
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{w}
	cmd.Env = append(os.Environ(), readyVar+"=3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return cli.Complain(o.Name, err)
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

// Launcher is where a server in the background reports; the zero value is the foreground.
type Launcher struct{ pipe *os.File }

// OwnLauncher is the one that started this process. The variable is not for the programs that this
// one starts.
func OwnLauncher() Launcher {
	fd, err := strconv.Atoi(os.Getenv(readyVar))
	os.Unsetenv(readyVar)
	if err != nil || fd < 3 {
		return Launcher{}
	}
	syscall.CloseOnExec(fd)
	return Launcher{os.NewFile(uintptr(fd), "launcher")}
}

// Background reports whether this process is a server in the background.
func (l Launcher) Background() bool { return l.pipe != nil }

// ready leaves the terminal and lets the launcher go. What is written on stderr from now on, a panic
// above all, goes to errors.
func (l Launcher) ready(errors func(fd int) error) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for _, fd := range []int{0, 1} {
		if err := sink.Duplicate(int(null.Fd()), fd); err != nil {
			return err
		}
	}
	if err := errors(2); err != nil {
		sink.Duplicate(int(null.Fd()), 2)
	}
	l.pipe.Write([]byte{1})
	return l.pipe.Close()
}
