package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"balancerd/balancer/store/memory"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/recovery"
	"balancerd/proxy/server"
)

// role is what a process of the server does. The environment names it, with the descriptor of its link;
// without it a process is the one that was called.
type role string

// The roles.
const (
	mainRole    role = ""
	readerRole  role = "read"
	servingRole role = "serve"
)

const (
	roleVar = "BALANCERD_ROLE"
	rootVar = "BALANCERD_ROOT" // the first ServerRoot and the configuration, absolute: the main process may
	fileVar = "BALANCERD_FILE" // have left the directory from which they are seen
	linkFD  = 3
)

// Run does what this process's role is, if the main process of a server has given it one: has says so. It returns
// the exit status.
func Run(c *cli.Command, assemble Assemble) (exit int, has bool) {
	r, l, err := ownRole()
	switch {
	case r == mainRole:
		return 0, false
	case err != nil:
		return cli.Complain(c.Name, err), true
	}
	c.ServerRoot, c.File = os.Getenv(rootVar), os.Getenv(fileVar)
	os.Unsetenv(rootVar)
	os.Unsetenv(fileVar)
	return play(r, c, assemble, l), true
}

// ownRole is this process's role, and its link to the main process. The variable is not for the programs
// that this one starts.
func ownRole() (role, *link, error) {
	r := role(os.Getenv(roleVar))
	os.Unsetenv(roleVar)
	if r != readerRole && r != servingRole {
		return mainRole, nil, nil
	}
	syscall.CloseOnExec(linkFD)
	l, err := openLink(os.NewFile(linkFD, "link"))
	return r, l, err
}

// play runs a role until its end. It returns the exit status.
func play(r role, c *cli.Command, assemble Assemble, l *link) int {
	if r == readerRole {
		return read(c, assemble(c), l)
	}
	return serve(c, assemble(c), l)
}

// child is a process that this one has started, or its part of this one with -X.
type child struct {
	link    *link
	in      chan *received
	cmd     *exec.Cmd     // nil: it is a part of this process
	over    chan struct{} // closed when it has ended
	started time.Time
	sockets bool // it has listening sockets
}

// received is a message with its files.
type received struct {
	m   *message
	fds []int
}

// take makes a file the caller's.
func (r *received) take(i int) int {
	fd := r.fds[i]
	r.fds = append(r.fds[:i:i], r.fds[i+1:]...)
	return fd
}

func (r *received) takeAll() []int {
	fds := r.fds
	r.fds = nil
	return fds
}

// close closes the files that nobody has taken.
func (r *received) close() {
	for _, fd := range r.fds {
		syscall.Close(fd)
	}
	r.fds = nil
}

// beginning is what a serving process begins with.
type beginning struct {
	credentials
	Started time.Time // of the server
}

// loadOrder has a configuration put in force.
type loadOrder struct {
	Generation int
	First      bool   // of a start: what the reading noticed is printed, too
	StateDir   string // where balancers' state is kept; "": nowhere
	Broken     string // why it can't be obeyed as a whole, should nothing else be wrong
}

// spawn starts a serving process.
func (s *supervisor) spawn() error {
	c, err := s.startProcess(servingRole, s.user)
	if err != nil {
		return err
	}
	s.child = c
	if err := c.send(&message{Kind: msgBegin, Begin: &beginning{s.user, s.started}}); err != nil {
		return errDied
	}
	return nil
}

// startProcess starts a process with a role: this program again, by its open file, so that an upgrade does
// not mix two versions. With -X it is a goroutine.
func (s *supervisor) startProcess(r role, user credentials) (*child, error) {
	l, other, err := newLink()
	if err != nil {
		return nil, err
	}
	c := &child{link: l, in: make(chan *received), over: make(chan struct{}), started: time.Now()}
	if s.Alone {
		own := *s.Command
		recovery.Go("being a part of the server", func() { runWithin(r, &own, s.assemble, other, c.over) })
	} else if err := c.exec(s.Command, r, other, user.Lower); err != nil {
		l.close()
		return nil, err
	}
	recovery.Go("listening to a process", c.listen)
	return c, nil
}

// runWithin runs a role as a part of this process.
func runWithin(r role, c *cli.Command, assemble Assemble, end *os.File, over chan struct{}) {
	defer close(over)
	if l, err := openLink(end); err == nil {
		play(r, c, assemble, l)
	}
}

func (c *child) exec(p *cli.Command, r role, end *os.File, lower bool) error {
	defer end.Close()
	self := "/proc/self/exe"
	if _, err := os.Stat(self); err != nil {
		if self, err = os.Executable(); err != nil {
			return err
		}
	}
	c.cmd = exec.Command(self, p.Args...)
	c.cmd.Args[0] = p.Argv0
	c.cmd.Stdout, c.cmd.Stderr = os.Stdout, os.Stderr
	c.cmd.ExtraFiles = []*os.File{end}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "NOTIFY_SOCKET=") {
			c.cmd.Env = append(c.cmd.Env, v)
		}
	}
	c.cmd.Env = append(c.cmd.Env, roleVar+"="+string(r), rootVar+"="+p.ServerRoot, fileVar+"="+p.File)
	start := c.cmd.Start
	if lower {
		start = func() error { return withoutNewPrivileges(c.cmd.Start) }
	}
	if err := start(); err != nil {
		return err
	}
	recovery.Go("waiting for the end of a process", func() {
		defer close(c.over)
		c.cmd.Wait()
	})
	return nil
}

// nameProcess gives a process that was started by its open file its name back in lists of processes.
func nameProcess(argv0 string) {
	os.WriteFile("/proc/self/comm", []byte(filepath.Base(argv0)), 0o644) // where there is none, nobody lists it so
}

// listen receives until the other end is gone.
func (c *child) listen() {
	defer close(c.in)
	for {
		m, fds, err := c.link.receive()
		if err != nil {
			return
		}
		c.in <- &received{m, fds}
	}
}

// messages are what the process says; closed when it is gone. Nobody says anything of a nil child.
func (c *child) messages() <-chan *received {
	if c == nil {
		return nil
	}
	return c.in
}

// send tells the process something. A nil child hears nothing, which is an error.
func (c *child) send(m *message, fds ...[]int) error {
	if c == nil {
		return errDied
	}
	var all []int
	for _, f := range fds {
		all = append(all, f...)
	}
	return c.link.send(m, all...)
}

// end lets the process go, which it takes for its end, and waits for that; one that stays is killed. Of a
// nil child there is nothing to do.
func (c *child) end() {
	if c == nil {
		return
	}
	c.link.close()
	for m := range c.in {
		m.close()
	}
	select {
	case <-c.over:
	case <-time.After(endTimeout):
		if c.cmd != nil {
			c.cmd.Process.Kill()
			<-c.over
		}
	}
}

func (c *child) lived() time.Duration { return time.Since(c.started) }

func (c *child) pid() int {
	if c.cmd == nil {
		return os.Getpid()
	}
	return c.cmd.Process.Pid
}

// exitMessage is how a process that is over has ended (httpd: mpm_common.c ap_process_child_status).
func (c *child) exitMessage() string {
	if c.cmd == nil || c.cmd.ProcessState == nil {
		return "balancerd: the serving part ended"
	}
	w, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && w.Signaled() && w.CoreDump():
		dir, _ := os.Getwd()
		return fmt.Sprintf("AH00051: child pid %d exit signal %s (%d), possible coredump in %s", c.pid(), signalName(w.Signal()), w.Signal(), dir)
	case ok && w.Signaled():
		return fmt.Sprintf("AH00052: child pid %d exit signal %s (%d)", c.pid(), signalName(w.Signal()), w.Signal())
	}
	return fmt.Sprintf("balancerd: child pid %d ended with status %d; what it said is above", c.pid(), c.cmd.ProcessState.ExitCode())
}

// signalName is the C library's description of a signal.
func signalName(s syscall.Signal) string {
	text := s.String()
	return strings.ToUpper(text[:1]) + text[1:]
}

// keeper hands what a serving process leaves to the main process.
func keeper(l *link) func(memory.Kind, *os.File) error {
	return func(k memory.Kind, f *os.File) error {
		return l.send(&message{Kind: msgKeep, Memory: k}, int(f.Fd()))
	}
}

// detach is a descriptor of f's file that the runtime does not watch. f stays as it is.
func detach(f *os.File) (fd int, err error) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var derr error
	err = c.Control(func(own uintptr) { fd, derr = server.Duplicate(int(own)) })
	return fd, errors.Join(err, derr)
}
