package server

import (
	"net"
	"net/netip"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
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
	case state != nil && state.NegotiatedProtocol == exchange.H2 && g.looped() != nil:
		g.speakOther(t, nc, base, state)
	case state == nil || state.NegotiatedProtocol == exchange.H2 && g.s.other != nil:
		base.HandOff(ordinary(g.fd, t, base))
		g.s.ServeConn(nc, state)
	default:
		c := g.s.open(g.local, g.remote, func(c *conn) {
			c.serveTLS(nc, base, g.fd)
			c.interrupt = c.interrupter()
			c.info.TLS, c.info.Secure = state, true
		})
		c.Run(t)
	}
}

// Looped is an Other that serves connections in an event loop.
type Looped interface {
	// Job is what serves a connection there: it is run once, parks itself, and calls end when the connection is over.
	// info stays as it is until then.
	Job(nc net.Conn, below *loop.Conn, fd *loop.Fd, info *exchange.Conn, b *Reporter, end func(*loop.Task)) loop.Job
}

func (g *handshakeJob) looped() Looped {
	l, _ := g.s.other.(Looped)
	return l
}

// speakOther has the other protocol serve the connection from its handshake on.
func (g *handshakeJob) speakOther(t *loop.Task, nc net.Conn, base *loop.Conn, state *exchange.TLS) {
	c := g.s.open(g.local, g.remote, func(c *conn) {
		c.serveTLS(nc, base, g.fd)
		c.interrupt = cutFd{g.fd}
		c.info.TLS, c.info.Secure = state, true
	})
	c.setState(KeepAlive)
	g.looped().Job(nc, base, g.fd, &c.info, &Reporter{c}, func(t *loop.Task) {
		c.use(t)
		c.s.drop(c)
	}).Run(t)
}

// cutFd is a socket that can be cut off, but not woken: the other protocol says goodbye by itself.
type cutFd struct{ *loop.Fd }

func (cutFd) wake(bool) {}

func (o cutFd) cut() { o.Cut() }
