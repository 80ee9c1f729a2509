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
	announces     bool                // it must begin with a PROXY header
	client        *exchange.Announced // by that
}

// Run shakes hands and serves what has come in.
func (g *handshakeJob) Run(t *loop.Task) {
	defer g.s.settle()
	defer g.s.doors.Add(-1)
	if g.announces && !g.takeProxyHeader(t) {
		return
	}
	base := loop.NewConn(g.fd, t, net.TCPAddrFromAddrPort(g.local), net.TCPAddrFromAddrPort(g.remote))
	defer g.s.guardAccept(base)
	nc, state, err := g.shake(base)
	switch {
	case err != nil:
		base.Close()
	case state != nil && state.NegotiatedProtocol == exchange.H2 && g.s.looped() != nil:
		g.speakOther(t, nc, base, state)
	case state == nil || state.NegotiatedProtocol == exchange.H2 && g.s.other != nil:
		base.HandOff(ordinary(g.fd, t, base))
		g.s.serveConn(nc, state, func(c *conn) { c.info.Announced = g.client })
	default:
		c := g.s.open(g.local, g.remote, func(c *conn) {
			c.serveTLS(nc, base, g.fd)
			c.interrupt = c.interrupter()
			c.info.TLS, c.info.Secure, c.info.Announced = state, true, g.client
		})
		c.Run(t)
	}
}

// takeProxyHeader reads the PROXY header in front of the handshake, by a connection of its own: what follows TLS's records
// must not see it.
func (g *handshakeJob) takeProxyHeader(t *loop.Task) (ok bool) {
	nc := loop.NewConn(g.fd, t, net.TCPAddrFromAddrPort(g.local), net.TCPAddrFromAddrPort(g.remote))
	defer g.s.guardAccept(nc)
	g.client, ok = g.s.readProxyHeader(nc, g.local, g.remote)
	return ok
}

// LoopClient is a client as an event loop serves it.
type LoopClient struct {
	Conn  net.Conn   // TLS, on Below; or Below itself
	Below *loop.Conn // on Fd
	Fd    *loop.Fd
	First []byte // what was read already
}

// Looped is an Other that serves connections in an event loop.
type Looped interface {
	// Job is what serves a connection there: it is run once, parks itself, and calls end when the connection is over.
	// info stays as it is until then. asked is Other.Serve's.
	Job(client LoopClient, info *exchange.Conn, b *Reporter, asked any, end func(*loop.Task)) loop.Job
}

func (s *Server) looped() Looped {
	l, _ := s.other.(Looped)
	return l
}

// speakOther has the other protocol serve the connection from its handshake on.
func (g *handshakeJob) speakOther(t *loop.Task, nc net.Conn, base *loop.Conn, state *exchange.TLS) {
	c := g.s.open(g.local, g.remote, func(c *conn) {
		c.serveTLS(nc, base, g.fd)
		c.interrupt = cutFd{g.fd}
		c.info.TLS, c.info.Secure, c.info.Announced = state, true, g.client
	})
	c.speakOther(t, LoopClient{Conn: nc, Below: base, Fd: g.fd})
}

// speakOther has the other protocol serve the connection in its event loop. It is the last thing that a task does.
func (c *conn) speakOther(t *loop.Task, client LoopClient) {
	c.setState(KeepAlive)
	c.s.looped().Job(client, &c.info, &Reporter{c}, c.takeAsked(), func(t *loop.Task) {
		c.use(t)
		c.s.drop(c)
	}).Run(t)
}

// switchInLoop has the other protocol go on with the connection, and with what was read of it.
func (c *conn) switchInLoop(t *loop.Task) {
	client := LoopClient{Fd: c.own, First: append([]byte(nil), c.k.have()...)}
	if secure, ok := c.looped.(*tlsTransport); ok {
		client.Conn, client.Below = secure.nc, secure.base
	} else {
		client.Below = loop.NewConn(c.own, t, net.TCPAddrFromAddrPort(c.info.Local), net.TCPAddrFromAddrPort(c.info.Remote))
		client.Conn = client.Below
	}
	c.releaseBuffers()
	c.setInterrupt(cutFd{c.own})
	c.speakOther(t, client)
}

// cutFd is a socket that can be cut off, but not woken: the other protocol says goodbye by itself.
type cutFd struct{ *loop.Fd }

func (cutFd) wake(bool) {}

func (o cutFd) cut() { o.Cut() }
