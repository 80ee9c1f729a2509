package backend

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/socket"
)

// own is a socket that the event loops of the front watch, so that a wait for a member is one of theirs.
type own = *socket.Fd

func taskOf(x *exchange.Exchange) *socket.Task {
	if x.Conn == nil {
		return nil
	}
	return x.Conn.Task
}

// adopt makes a Conn of a fresh plain connection for an exchange that an event loop serves; nil when
// that can't be.
func (p *pool) adopt(x *exchange.Exchange, nc, plain net.Conn, addr netip.Addr) *Conn {
	t := taskOf(x)
	s, ok := nc.(syscall.Conn)
	if t == nil || !ok || nc != plain {
		return nil
	}
	rc, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	n, e := uintptr(0), syscall.EBADF
	rc.Control(func(fd uintptr) { n, e = socket.Dup(fd) })
	if e != 0 {
		return nil
	}
	nc.Close()
	c := &Conn{pool: p, addr: addr, raw: true, own: t.NewFd(n)}
	c.io.OpenFd(c.own)
	return c
}

// serve has a task use the connection.
func (c *Conn) serve(t *socket.Task) {
	if c.own != nil {
		c.io.Use(t)
		c.own.Use(t)
	}
}

// suits tells whether a task, or nobody's, may use it.
func (c *Conn) suits(t *socket.Task) bool {
	return (c.own != nil) == (t != nil) || c.net != nil && c.tls != nil
}

// near tells whether it is the task's loop that watches it.
func (c *Conn) near(t *socket.Task) bool { return c.own == nil || c.own.Near(t) }

// told tells whether a loop watches it, and whether anything has come in then.
func (c *Conn) told() (known, stirred bool) {
	if c.own == nil || !c.own.Watched() {
		return false, false
	}
	return true, c.own.Stirred()
}

// cut ends both directions.
func (c *Conn) cut() { c.own.Cut() }

// shut closes it.
func (c *Conn) shut() { c.own.Close(nil) }

// disown makes it a connection of the net package.
func (c *Conn) disown() {
	if c.own == nil {
		return
	}
	f := os.NewFile(c.own.Release(nil), "")
	defer f.Close()
	nc, err := net.FileConn(f)
	if err != nil { // out of descriptors: all that follows fails
		nc, _ = net.Pipe()
		nc.Close()
	}
	c.own, c.net, c.io = nil, nc, socket.Stream{Sent: c.io.Sent}
	if pl, ok := nc.(poller); ok {
		c.raw = c.io.Open(pl) == nil
	}
}
