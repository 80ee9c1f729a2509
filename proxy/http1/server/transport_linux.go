package server

import (
	"net"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// system is a socket of our own, with what its calls need.
type system struct {
	own  *loop.Fd
	fdio *loop.FdStream // transport's io while an event loop serves it
	sec  *loop.Conn     // below nc, while an event loop serves a secure connection
	task *loop.Task     // who serves it
	file *os.File       // in place of own: once the runtime's poller watches it
}

type fdStream = loop.FdStream

// begun reports whether something was received that cannot be read yet.
func (t *transport) begun() bool { return t.sec != nil && t.sec.Midway() }

// fd is the descriptor.
func (t *transport) fd() uintptr { return t.own.N() }

// try reads what is there without waiting; EAGAIN: nothing.
func (t *transport) try(p []byte) (int, syscall.Errno) {
	if t.sec != nil {
		return t.trySecure(p)
	}
	return t.fdio.ReadNow(p)
}

// drained reports whether all that had come in was read.
func (t *transport) drained() bool { return t.sec == nil && t.fdio.Drained() && !t.own.Ended() }

// pace gives the next reads a timeout if a loop serves a secure connection.
func (t *transport) pace(timeout time.Duration) bool {
	if t.sec == nil {
		return false
	}
	t.sec.ReadWithin(timeout)
	return true
}

// paceOut is pace for writes.
func (t *transport) paceOut(timeout time.Duration) bool {
	if t.sec == nil {
		return false
	}
	t.sec.WriteWithin(timeout)
	return true
}

// below ends our direction of the socket below TLS (httpd: connection.c ap_lingering_close).
func (t *transport) below() error {
	if t.sec != nil && t.nc != net.Conn(t.sec) {
		return t.sec.CloseWrite()
	}
	return nil
}

// fdInterrupter is a socket of our own as others see it.
type fdInterrupter struct{ fd *loop.Fd }

// A connection of which nothing is there is parked.
func (p fdInterrupter) wake(bool) { p.fd.Nudge() }

func (p fdInterrupter) cut() { p.fd.Cut() }

// use has a task serve the connection.
func (c *conn) use(t *loop.Task) {
	c.task = t
	if c.sec != nil {
		c.sec.Use(t)
	}
}

// plug gives the socket what its reads and writes need.
func (c *conn) plug() {
	if c.raw {
		c.fdio = &c.k.io
		c.fdio.Open(c.own)
		c.fdio.Use(c.task)
		c.io = c.fdio
	}
}

// unplug takes it away.
func (c *conn) unplug() {
	if c.raw {
		c.k.io.Reset()
		c.io, c.fdio = nil, nil
	}
}

// leave has the runtime's poller watch the connection from now on, for those who know no event loop.
func (c *conn) leave() {
	if c.file != nil || !c.raw && c.sec == nil {
		return
	}
	c.task.Block()
	c.setInterrupt(nil)
	c.left()
	if c.sec != nil {
		c.sec.HandOff(c.s.ordinary(c.own, c.task, c.sec))
		c.sec = nil
		c.setInterrupt(netInterrupter{c.nc, &c.was})
		return
	}
	c.file = os.NewFile(c.own.Release(c.task), "client")
	c.acquireBuffers()
	s, sent := &loop.PollStream{}, c.fdio.Sent()
	if err := s.Open(c.file, sent); err != nil {
		panic(err) // it has just been made
	}
	c.unplug()
	c.io = s
	c.setInterrupt(netInterrupter{c.file, &c.was})
}

// leaveWhole is leave for who wants an ordinary connection.
func (c *conn) leaveWhole() {
	if !c.raw {
		c.leave()
		return
	}
	c.task.Block()
	c.setInterrupt(nil)
	c.unplug()
	remote := net.TCPAddrFromAddrPort(c.info.Remote)
	c.nc = sys.NewFileConn(c.own.Release(c.task), net.TCPAddrFromAddrPort(c.info.Local), remote)
	c.raw = false
	c.left()
}

// left tells the exchange under way that no event loop serves it any more.
func (c *conn) left() {
	if c.k != nil {
		c.k.x.Task = nil
	}
}

// served is the task that serves the connection; nil: a goroutine does.
func (t *transport) served() *loop.Task {
	if t.fdio == nil && t.sec == nil {
		return nil
	}
	return t.task
}

func (t *transport) rawClose() {
	if t.file != nil {
		t.file.Close()
		return
	}
	t.own.Close(t.task)
}

func (t *transport) rawWrite(a, b []byte, timeout time.Duration) error {
	if t.fdio == nil {
		return t.io.Write(a, b, timeout)
	}
	n, e := t.fdio.WriteNow(a, b)
	switch {
	case e != 0 && e != syscall.EAGAIN:
		return os.NewSyscallError("write", e)
	case n == len(a)+len(b):
		return nil
	}
	k := min(n, len(a))
	return t.io.Write(a[k:], b[n-k:], timeout)
}

// silent reports whether nothing came in that was not read: closing would reset the connection.
func (t *transport) silent() bool {
	if !t.raw || t.fdio != nil && t.fdio.Drained() {
		return true
	}
	return t.io.Look() != loop.Bytes
}

func (t *transport) rawCloseWrite() error {
	if t.file != nil {
		return t.io.CloseWrite()
	}
	return sys.CloseWrite(t.fd())
}

// reset has close send a reset.
func (t *transport) reset() {
	if t.raw && t.file == nil {
		sys.Reset(t.fd())
	}
}

// Socket is the client's socket once what was read before is gone; nil with TLS.
func (e *end) Socket() loop.Stream {
	if !e.c.raw || len(e.early) > 0 {
		return nil
	}
	return e.c.io
}
