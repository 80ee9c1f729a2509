package client

import (
	"net"

	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/loop"
)

// socket is what a connection has of the event loop that serves it.
type socket struct {
	nc     net.Conn
	fd     *loop.Fd        // nil: goroutines serve it
	looped *transport.Loop // the connection's transport, too
	before int64           // what had been sent when the first of the streams that are under way began; owned by who serves the connection
}

// start begins to serve the connection: as a job of the task's loop, if its socket is one of event loops.
func (c *conn) start(t *loop.Task) {
	nc, base, fd := c.from.Socket()
	c.socket.nc, c.socket.fd = nc, fd
	if fd == nil {
		c.serveByGoroutines()
		return
	}
	l := transport.NewLoop(c, transport.Socket{Conn: nc, Below: base, Fd: fd}, func(*loop.Task) { c.from.Release(false) })
	c.transport, c.socket.looped = l, l
	t.Spawn(l)
}

// near reports whether the task's loop serves it.
func (c *conn) near(t *loop.Task) bool { return t == nil || c.socket.fd == nil || c.socket.fd.Near(t) }

// noteSent notes what had been written before the first stream after a rest. Under mu, by who serves the connection.
func (c *conn) noteSent() {
	if c.resumed && c.socket.looped != nil {
		c.socket.before = c.socket.looped.Sent()
	}
	c.resumed = false
}

// undelivered reports whether nothing of the streams under way has reached the member's system. Under mu, by who serves
// the connection.
func (c *conn) undelivered() bool {
	l, before := c.socket.looped, c.socket.before
	return l != nil && (c.resumed || l.Sent() == before || l.Undelivered(before))
}
