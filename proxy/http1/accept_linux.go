package http1

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/socket"
)

// Accept serves the connections that come in on a plain TCP listener until that is closed; then it
// returns nil. Each connection has a goroutine of its own. The listener's connections come without
// Nagle's algorithm and, as with httpd's AcceptFilter, with their first bytes.
func (s *Server) Accept(l *net.TCPListener) error {
	f, err := l.File() // a net.Listener lets nobody read inside its poller's callback, a file does
	if err != nil {
		return closedIsNil(err)
	}
	defer f.Close()
	rc, err := f.SyscallConn()
	if err != nil {
		return err
	}
	a := acceptor{s: s}
	if own := addrOf(l.Addr()); !own.Addr().IsUnspecified() {
		a.local = own
	}
	if err := rc.Control(func(fd uintptr) { socket.Prepare(fd, true) }); err != nil {
		return err
	}
	for open(l) {
		a.fault = 0
		f.SetReadDeadline(time.Now().Add(lookAgain))
		if err := rc.Read(a.take); err != nil && !timedOut(err) {
			return err
		}
		if a.fault != 0 {
			a.rest()
		}
	}
	return nil
}

// lookAgain is how long a listener may be closed before its accepting ends.
const lookAgain = 200 * time.Millisecond

// open tells whether a listener was not closed yet.
func open(l *net.TCPListener) bool {
	rc, err := l.SyscallConn()
	return err == nil && rc.Control(func(uintptr) {}) == nil
}

func closedIsNil(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// acceptor takes connections off one listener. Owned by its goroutine.
type acceptor struct {
	s     *Server
	local netip.AddrPort // the listener's address; invalid for a wildcard
	fault syscall.Errno
	pause time.Duration
}

// take runs inside the poller's callback. It returns true on trouble.
func (a *acceptor) take(fd uintptr) bool {
	for {
		conn, remote, e := socket.Accept(fd)
		switch e {
		case 0:
			a.pause = 0
			go a.s.serveAccepted(conn, a.local, remote)
		case syscall.EAGAIN:
			return false
		case syscall.ECONNABORTED:
		default:
			a.fault = e
			return true
		}
	}
}

// The waits after a failed accept, when the system is out of descriptors or memory.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second / 2
)

// rest says what went wrong, and waits: longer each time.
func (a *acceptor) rest() {
	if a.pause == 0 {
		a.s.log(exchange.Error, os.NewSyscallError("accept", a.fault), "AH00455: apr_socket_accept: (client socket)")
	}
	a.pause = min(max(2*a.pause, firstPause), lastPause)
	time.Sleep(a.pause)
}

// serveAccepted serves a connection that was taken off a listener.
func (s *Server) serveAccepted(fd uintptr, local, remote netip.AddrPort) {
	if !local.IsValid() {
		local = socket.Local(fd)
	}
	shake := s.shake(local)
	if shake == nil {
		s.ServeFD(int(fd), local, remote)
		return
	}
	f := os.NewFile(fd, "")
	nc, err := net.FileConn(f) // crypto/tls wants a net.Conn
	f.Close()
	if err != nil {
		s.log(exchange.Error, err, "AH00455: apr_socket_accept: (client socket)")
		return
	}
	s.serveSecure(nc, shake)
}
