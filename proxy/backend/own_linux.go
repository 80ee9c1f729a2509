package backend

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
	"balancerd/proxy/internal/tlsbuf"
	"balancerd/proxy/tunnel"
)

// own is a socket that the event loops that serve clients watch, so that a wait for a member is one of theirs.
type own = *loop.Fd

func taskOf(x *exchange.Exchange) *loop.Task { return x.Task }

// below is what TLS stands on: an ordinary connection during the handshake, then an event loop's socket.
type below = *loop.Conn

// records is what TLS of an event loop's connection receives into.
type records struct {
	secure *tls.Conn
	lent   *bytes.Buffer // while the connection is in use; nil: it is not
}

// lend has TLS receive into a buffer, until the connection idles again.
func (r *records) lend() {
	if r.lent == nil {
		r.lent = tlsbuf.Lend(r.secure)
	}
}

// takeBack has TLS hold no buffer.
func (r *records) takeBack() {
	tlsbuf.TakeBack(r.secure, r.lent)
	r.lent = nil
}

// looped reports whether an event loop is to serve the connections of an exchange to such a member: a handshake in
// between would hold a loop up.
func looped(x *exchange.Exchange, call *Call, scheme string) bool {
	return taskOf(x) != nil && !call.offLoop(scheme)
}

// under is what a handshake is to be done on.
func under(x *exchange.Exchange, plain net.Conn, call *Call, scheme string) net.Conn {
	if !looped(x, call, scheme) {
		return plain
	}
	return loop.NewConnOver(plain)
}

// adopt makes a Conn of a fresh connection for an exchange that an event loop serves: plain, or nc that
// shook hands on base. nil when that is not to be, or can't: then whoever serves the exchange leaves the
// loop for the rest of it.
func (p *pool) adopt(x *exchange.Exchange, nc, plain, base net.Conn, addr netip.Addr, call *Call, scheme string) *Conn {
	if !looped(x, call, scheme) {
		return nil
	}
	fd, e := dup(plain)
	if e != nil {
		x.Detach()
		return nil
	}
	t := taskOf(x)
	c := &Conn{pool: p, addr: addr}
	c.openOwn(t.NewFd(fd))
	if nc != plain {
		c.net, c.below, c.secure = nc, base.(below), tlsbuf.Of(nc)
		c.below.Adopt(c.own, t)
		return c
	}
	plain.Close()
	c.raw = true
	return c
}

// own makes a Conn of a socket of a loop's.
func (p *pool) own(fd own, addr netip.Addr) *Conn {
	c := &Conn{pool: p, addr: addr, raw: true}
	c.openOwn(fd)
	return c
}

// openOwn has it read and write a socket of a loop's.
func (c *Conn) openOwn(fd own) {
	s := &loop.FdStream{}
	s.OpenAsking(fd)
	c.own, c.io = fd, s
}

// polled is a Stream on a connection of the runtime's poller on which sent bytes were written before; nil: it
// can't be made.
func polled(c poller, sent int64) loop.Stream {
	s := &loop.PollStream{}
	if s.Open(c, sent) != nil {
		return nil
	}
	return s
}

// dup is another descriptor of a connection, for a loop: the first is the runtime's poller's.
func dup(nc net.Conn) (uintptr, error) {
	s, ok := nc.(syscall.Conn)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	rc, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	n, e := uintptr(0), syscall.EBADF
	if err := rc.Control(func(fd uintptr) { n, e = sys.Dup(fd) }); err != nil {
		return 0, err
	}
	if e != 0 {
		return 0, os.NewSyscallError("dup", e)
	}
	return n, nil
}

// serve has a task use the connection.
func (c *Conn) serve(t *loop.Task) {
	if c.own == nil {
		return
	}
	c.io.(*loop.FdStream).Use(t)
	c.own.Use(t)
	if c.below != nil {
		c.lend()
		c.below.Serve(t)
		c.before = c.below.Sent()
	}
}

// undelivered is Undelivered with TLS.
func (c *Conn) undelivered() bool { return c.below != nil && c.below.Undelivered(c.before) }

// detachTask has no task use it: it idles, and whoever closes it meanwhile waits for nothing.
func (c *Conn) detachTask() {
	if c.below != nil {
		c.takeBack()
		c.below.Serve(nil)
	}
}

// look tells what came in on an idle connection. Of one with TLS what was read with the last answer, or
// came in since, is looked at inside of it: tickets and the like are nothing.
func (c *Conn) look(x *exchange.Exchange) loop.Look {
	if c.below == nil {
		if c.mayHaveChanged(x) {
			return c.io.Look()
		}
		return loop.Quiet
	}
	watched, pending := c.pendingEvent()
	c.below.Serve(taskOf(x))
	switch {
	case pending, !watched: // no event tells of one that nobody has waited for yet
		c.below.Use(taskOf(x))
	case c.below.Drained() && c.secure != nil && !tlsbuf.Holds(c.secure):
		return loop.Quiet
	}
	c.lend()
	var one [1]byte
	switch n, err := c.tryNet(one[:]); {
	case n > 0:
		return loop.Bytes
	case err != nil:
		return loop.End
	}
	return loop.Quiet
}

// tryNet is TryRead with TLS.
func (c *Conn) tryNet(p []byte) (int, error) {
	if c.below == nil {
		return 0, nil
	}
	c.below.Eager(true)
	n, err := c.net.Read(p)
	c.below.Eager(false)
	if n > 0 || IsTimeout(err) {
		return n, nil
	}
	return 0, err
}

// readWithin bounds the next reads of a loop's connection with TLS; false: it is another kind.
func (c *Conn) readWithin(d time.Duration) bool {
	if c.below == nil {
		return false
	}
	c.below.ReadWithin(d)
	return true
}

// writeWithin is the same for writes.
func (c *Conn) writeWithin(d time.Duration) bool {
	if c.below == nil {
		return false
	}
	c.below.WriteWithin(d)
	return true
}

// suits reports whether a task, or nobody's, may use it: a read that waits outside of the event loops would
// keep a loop from going on, and the other way round nobody would be woken.
func (c *Conn) suits(t *loop.Task) bool { return (c.own != nil) == (t != nil) }

// near reports whether it is the task's loop that watches it.
func (c *Conn) near(t *loop.Task) bool { return c.own == nil || c.own.Near(t) }

// pendingEvent reports whether a loop watches it, and whether anything has come in then.
func (c *Conn) pendingEvent() (watched, pending bool) {
	if c.own == nil || !c.own.Watched() {
		return false, false
	}
	return true, c.own.PendingEvent()
}

// watched reports whether it is a loop's.
func (c *Conn) watched() bool { return c.own != nil }

// joinInLoop joins it with a client that the same loop serves; false: that can't be.
func (c *Conn) joinInLoop(client exchange.Stream, o tunnel.Options) bool {
	l, ok := client.(tunnel.Looped)
	if !ok || !c.watched() {
		return false
	}
	task, end := l.Watched()
	if task == nil {
		return false
	}
	own := tunnel.End{Fd: c.own}
	if c.below != nil {
		own = tunnel.End{Fd: c.own, TLS: c.net, Below: c.below, Alone: true}
	}
	tunnel.JoinInLoop(task, end, own, o)
	return true
}

// cut ends both directions of a loop's connection; false: it is not a loop's.
func (c *Conn) cut() bool {
	if c.own == nil {
		return false
	}
	c.own.Cut()
	return true
}

// resetOwn is Reset of a loop's connection; false: it is not a loop's.
func (c *Conn) resetOwn() bool {
	if c.own == nil {
		return false
	}
	sys.Reset(c.own.N())
	return true
}

// shut closes one without TLS.
func (c *Conn) shut() { c.own.Close(nil) }

// disown makes it an ordinary connection. That costs no descriptor, so that it can't fail for want of one.
func (c *Conn) disown() {
	if c.own == nil {
		return
	}
	fd := c.own.Release(nil)
	nc := sys.NewFileConn(fd, addrOf(sys.Local(fd)), addrOf(netip.AddrPortFrom(c.addr, c.to.port)))
	sent := c.io.Sent()
	c.own, c.io = nil, nil
	if c.below != nil {
		c.below.HandOff(nc)
		c.below, c.records = nil, records{}
		return
	}
	c.io = polled(nc.(poller), sent)
	c.net, c.raw = nc, c.io != nil
}

// Socket is the connection for who reads and writes it itself from now on, until Release: as an event loop's, or, with no
// Fd, as an ordinary one.
func (c *Conn) Socket() (nc net.Conn, base *loop.Conn, fd *loop.Fd) {
	if c.own == nil {
		c.net.SetDeadline(time.Time{})
		return c.net, nil, nil
	}
	c.takeBack()
	if c.below == nil {
		c.below = loop.NewConn(c.own, nil, addrOf(sys.Local(c.own.N())), addrOf(netip.AddrPortFrom(c.addr, c.to.port)))
		c.net, c.raw = c.below, false
	}
	return c.net, c.below, c.own
}

func addrOf(a netip.AddrPort) net.Addr {
	if !a.IsValid() {
		return &net.UnixAddr{Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(a)
}
