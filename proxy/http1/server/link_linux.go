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
	fdio *loop.FdStream // link's io while an event loop serves it
	sec  *loop.Conn     // below nc, while an event loop serves a secure connection
	task *loop.Task     // who serves it
	file *os.File       // in place of own: once the runtime's poller watches it
}

type fdStream = loop.FdStream

// begun tells whether something was received that cannot be read yet.
func (l *link) begun() bool { return l.sec != nil && l.sec.Midway() }

// fd is the descriptor.
func (l *link) fd() uintptr { return l.own.N() }

// try reads what is there without waiting; EAGAIN: nothing.
func (l *link) try(p []byte) (int, syscall.Errno) {
	if l.sec != nil {
		return l.trySecure(p)
	}
	return l.fdio.ReadNow(p)
}

// drained tells whether all that had come in was read.
func (l *link) drained() bool { return l.sec == nil && l.fdio.Drained() && !l.own.Ended() }

// pace gives the next reads a timeout if a loop serves a secure connection.
func (l *link) pace(timeout time.Duration) bool {
	if l.sec == nil {
		return false
	}
	l.sec.ReadWithin(timeout)
	return true
}

// paceOut is pace for writes.
func (l *link) paceOut(timeout time.Duration) bool {
	if l.sec == nil {
		return false
	}
	l.sec.WriteWithin(timeout)
	return true
}

// below ends our direction of the socket below TLS (httpd: connection.c ap_lingering_close).
func (l *link) below() error {
	if l.sec != nil && l.nc != net.Conn(l.sec) {
		return l.sec.CloseWrite()
	}
	return nil
}

// ownPoked is a socket of our own as others see it.
type ownPoked struct{ fd *loop.Fd }

// A connection of which nothing is there is parked.
func (p ownPoked) wake(bool) { p.fd.Nudge() }

func (p ownPoked) cut() { p.fd.Cut() }

// use has a task serve the connection.
func (c *conn) use(t *loop.Task) {
	c.task, c.info.Task = t, t
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
	c.setPoke(nil)
	c.info.Task = nil
	if c.sec != nil {
		c.sec.HandOff(c.s.ordinary(c.own, c.task, c.sec))
		c.sec = nil
		c.setPoke(netPoked{c.nc, &c.was})
		return
	}
	c.file = os.NewFile(c.own.Release(c.task), "client")
	c.need()
	s, sent := &loop.PollStream{}, c.fdio.Sent()
	if err := s.Open(c.file, sent); err != nil {
		panic(err) // it has just been made
	}
	c.unplug()
	c.io = s
	c.setPoke(netPoked{c.file, &c.was})
}

// leaveWhole is leave for who wants an ordinary connection.
func (c *conn) leaveWhole() {
	if !c.raw {
		c.leave()
		return
	}
	c.task.Block()
	c.setPoke(nil)
	c.unplug()
	remote := net.TCPAddrFromAddrPort(c.info.Remote)
	c.nc = sys.NewFileConn(c.own.Release(c.task), net.TCPAddrFromAddrPort(c.info.Local), remote)
	c.raw, c.info.Task = false, nil
}

func (l *link) rawClose() {
	if l.file != nil {
		l.file.Close()
		return
	}
	l.own.Close(l.task)
}

func (l *link) rawWrite(a, b []byte, timeout time.Duration) error {
	if l.fdio == nil {
		return l.io.Write(a, b, timeout)
	}
	n, e := l.fdio.WriteNow(a, b)
	switch {
	case e != 0 && e != syscall.EAGAIN:
		return os.NewSyscallError("write", e)
	case n == len(a)+len(b):
		return nil
	}
	k := min(n, len(a))
	return l.io.Write(a[k:], b[n-k:], timeout)
}

// silent tells whether nothing came in that was not read: closing would reset the connection.
func (l *link) silent() bool {
	if !l.raw || l.fdio != nil && l.fdio.Drained() {
		return true
	}
	return l.io.Look() != loop.Bytes
}

func (l *link) rawCloseWrite() error {
	if l.file != nil {
		return l.io.CloseWrite()
	}
	return sys.CloseWrite(l.fd())
}

// reset has close send a reset.
func (l *link) reset() {
	if l.raw && l.file == nil {
		sys.Reset(l.fd())
	}
}

// Socket is the client's socket once what was read before is gone; nil with TLS.
func (e *end) Socket() loop.Stream {
	if !e.c.raw || len(e.early) > 0 {
		return nil
	}
	return e.c.io
}
