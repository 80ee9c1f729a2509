package server

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// handshakeJob is the job of a connection that is to be secure: its handshake, which computes for long,
// beside the event loops. From its first rest on the connection is a loop's as plain ones are.
type handshakeJob struct {
	s             *Server
	fd            *loop.Fd
	local, remote netip.AddrPort
	shake         TLSHandshake
}

// Run shakes hands and serves what has come in.
func (g *handshakeJob) Run(t *loop.Task) {
	defer g.s.settle()
	defer g.s.doors.Add(-1)
	base := loop.NewConn(g.fd, t, net.TCPAddrFromAddrPort(g.local), net.TCPAddrFromAddrPort(g.remote))
	defer g.s.guardAccept(base)
	nc, state, err := g.shake(base)
	switch {
	case err != nil:
		base.Close()
		g.s.notShaken(err)
	case state == nil || state.NegotiatedProtocol == exchange.H2 && g.s.other != nil:
		base.HandOff(g.s.ordinary(g.fd, t, base))
		g.s.ServeConn(nc, state)
	default:
		c := g.s.open(g.local, g.remote, func(c *conn) {
			c.nc, c.sec, c.own = nc, base, g.fd
			c.interrupt = fdInterrupter{g.fd}
			c.info.TLS, c.info.Secure = state, true
		})
		c.Run(t)
	}
}

// ordinary is a socket of our own as one of the runtime's poller.
func (s *Server) ordinary(fd *loop.Fd, t *loop.Task, as net.Conn) net.Conn {
	return sys.NewFileConn(fd.Release(t), as.LocalAddr(), as.RemoteAddr())
}

// trySecure is try for a secure connection.
func (t *transport) trySecure(p []byte) (int, syscall.Errno) {
	t.sec.Eager(true)
	n, err := t.nc.Read(p)
	t.sec.Eager(false)
	switch {
	case n > 0 || err == io.EOF:
		return n, 0
	case timedOut(err):
		return 0, syscall.EAGAIN
	}
	if e := syscall.Errno(0); errors.As(err, &e) {
		return 0, e
	}
	return 0, syscall.EPROTO
}
