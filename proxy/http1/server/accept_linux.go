package server

import (
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// engine is the event loops of a Server's plain connections.
type engine struct{ loops *loop.Group }

// group is the Server's loops; they begin with the first listener.
func (s *Server) group() (*loop.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine.loops != nil {
		return s.engine.loops, nil
	}
	g, err := loop.NewGroup(loopsOf(runtime.GOMAXPROCS(0)))
	s.engine.loops = g
	return g, err
}

// Processors is how many goroutines should run at a time (GOMAXPROCS) on n processors: an event loop for
// each, which keeps its goroutine also while it waits for a moment, and what is not done in loops: the
// beginning of TLS handshakes, HTTP/2 to members, logs.
func Processors(n int) int { return n + max(1, n/4) }

// loopsOf is how many of the goroutines that may run at a time are loops: as many as there are
// processors, when it is Processors that said how many may.
func loopsOf(goroutines int) int { return max(1, goroutines-max(1, goroutines/5)) }

// settle ends the loops once nobody needs them any more.
func (s *Server) settle() {
	if !s.stopping.Load() || s.doors.Load() > 0 || s.Connections() > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine.loops != nil {
		s.engine.loops.Close()
	}
}

// Accept serves the connections that come in on a plain TCP listener until that is closed; then it
// returns nil. The listener's connections come without Nagle's algorithm and, as with httpd's
// AcceptFilter, with their first bytes.
func (s *Server) Accept(l *Listener) error {
	g, err := s.group()
	if err != nil {
		return err
	}
	s.doors.Add(1)
	defer s.settle()
	defer s.doors.Add(-1)
	a := acceptor{s: s, group: g, began: time.Now()}
	if !l.addr.Addr().IsUnspecified() {
		a.local = l.addr
	}
	fds, err := l.dups(g.Len())
	if err != nil {
		return err
	}
	stop, err := g.Listen(fds, loop.Accept{Job: a.take, HasRoom: backend.RoomFor, Failed: a.fault})
	if err != nil {
		return err
	}
	defer stop()
	<-l.closed
	return nil
}

// acceptor makes jobs of one listener's connections. Immutable but said.
type acceptor struct {
	s     *Server
	group *loop.Group
	local netip.AddrPort // the listener's address; invalid for a wildcard
	began time.Time
	said  atomic.Int64 // when a fault was told last, since began
}

// take is the job of a connection. With TLS it begins off the loop: its handshake computes for long.
func (a *acceptor) take(fd uintptr, remote netip.AddrPort) (j loop.Job, offLoop bool) {
	defer func() {
		if p := recover(); p != nil {
			sys.Close(fd)
			a.s.panicked(p, " before a connection was served")
		}
	}()
	local := a.local
	if !local.IsValid() {
		local = sys.Local(fd)
	}
	announces := a.s.announces(local, remote)
	if shake := a.s.shake(local); shake != nil {
		a.s.doors.Add(1)
		return &handshakeJob{s: a.s, fd: a.group.NewFd(fd), local: local, remote: remote, shake: shake, announces: announces}, true
	}
	own := a.group.NewFd(fd)
	return a.s.open(local, remote, func(c *conn) {
		c.serveSocket(own)
		c.announces = announces
		c.interrupt = c.interrupter()
	}), false
}

// sayAgain is how long accepting may fail, and work, and fail until that is told once more.
const sayAgain = time.Minute

// fault says what went wrong.
func (a *acceptor) fault(e syscall.Errno) {
	now, said := int64(time.Since(a.began)), a.said.Load()
	if said != 0 && now-said < int64(sayAgain) || !a.said.CompareAndSwap(said, now) {
		return
	}
	a.s.log(exchange.Error, os.NewSyscallError("accept", e), "AH00455: apr_socket_accept: (client socket)")
}
