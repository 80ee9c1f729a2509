package process

import (
	"errors"
	"net"
	"os"
	"syscall"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// handover is what a load needs of the main process, which gives it step by step.
type handover struct {
	s    *serving
	logs map[string]named // that no log has taken yet
}

var _ Opener = (*handover)(nil)

// errPanic: the log says more.
var errPanic = errors.New("the configuration was not loaded: a panic, which the error log or stderr tells of")

// errHalted: the main process wants the end instead.
var errHalted = errors.New("the server ends")

// ask tells the main process how far the load is and waits for what it has asked for: all messages of a
// kind.
func (h *handover) ask(step, answer kind, take func(*received) error) error {
	if err := h.s.link.send(&message{Kind: step}); err != nil {
		return errHalted
	}
	for more := 1; more > 0; {
		m, ok := <-h.s.in
		if !ok || m.m.Kind == msgHalt {
			return errHalted
		}
		if m.m.Kind != answer {
			h.s.handle(m)
			continue
		}
		err := take(m)
		more = m.m.More
		m.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// OpenLogs gets the logs.
func (h *handover) OpenLogs() error {
	h.logs = map[string]named{}
	return h.ask(msgBound, msgLogs, func(m *received) error {
		list, err := m.m.files(m.takeAll())
		for _, f := range list {
			h.logs[f.name] = f
		}
		return err
	})
}

// OpenLog is one of them, as directive.Options wants it. Two Sets may ask for the same.
func (h *handover) OpenLog(target string) (*os.File, error) {
	f, has := h.logs[target]
	switch {
	case !has:
		return nil, &os.PathError{Op: "open", Path: target, Err: syscall.ENOENT}
	case f.errno != 0:
		return nil, &os.PathError{Op: "open", Path: target, Err: f.errno}
	}
	fd, err := server.Duplicate(f.fd)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), target), nil
}

// close lets go of what the load got.
func (h *handover) close() {
	for _, f := range h.logs {
		closeAll([]named{f})
	}
}

// OpenSockets gets the sockets that are not open here yet.
func (h *handover) OpenSockets(*site.Site) (opened map[string]*net.TCPListener, err error) {
	opened = map[string]*net.TCPListener{}
	err = h.ask(msgBuilt, msgSockets, func(m *received) error {
		if f := m.m.Failure; f != nil {
			return f
		}
		for a, l := range listeners(m) {
			opened[a] = l
		}
		return nil
	})
	return opened, err
}

// listeners are the sockets of a message.
func listeners(m *received) map[string]*net.TCPListener {
	out := map[string]*net.TCPListener{}
	list, _ := m.m.files(m.takeAll())
	for _, f := range list {
		if l, err := server.Listener(f.fd); err == nil {
			out[f.name] = l
		}
	}
	return out
}

// failureOf is why a load failed. What a check would find comes first, as httpd checks before it opens
// anything.
func (s *serving) failureOf(a *Attempt, err error) *cli.Failure {
	var f *cli.Failure
	if errors.As(err, &f) {
		f.Noticed, f.Hints = a.Noticed, a.Hints
		return f
	}
	if err == errPanic {
		return &cli.Failure{Noticed: a.Noticed, Words: s.Words(err)}
	}
	checked, noticed, cerr := s.Build(a.Tree, a.Files)
	if cerr != nil {
		return &cli.Failure{Noticed: noticed, Words: s.Words(cerr), After: cli.AfterCheck(cerr)}
	}
	checked.Close()
	return &cli.Failure{Noticed: a.Noticed, Hints: a.Hints, Words: s.Words(err), After: cli.AfterStart(err)}
}
