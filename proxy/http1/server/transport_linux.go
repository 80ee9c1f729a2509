package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
	"balancerd/proxy/internal/tlsbuf"
	"balancerd/proxy/tunnel"
)

// loopTransport is a transport in an event loop.
type loopTransport interface {
	transport
	// try reads what is there without waiting; EAGAIN: nothing.
	try(p []byte) (int, syscall.Errno)
	// drained reports whether it is known that all that had come in was read.
	drained() bool
	// use has a task serve it.
	use(t *loop.Task)
	// open lends it what its reads and writes need while there is work, until shut.
	open(io *loop.FdStream)
	shut()
	// end is what a tunnel in the loop joins.
	end() tunnel.End
	// leave is the same end for who knows no event loop. The task has left its loop.
	leave() transport
	// leaveAsConn is leave for who wants a net.Conn.
	leaveAsConn(local, remote net.Addr) *netTransport
}

// inLoop is what a connection has of the event loop that serves it.
type inLoop struct {
	looped loopTransport // the connection's transport, too; nil: no loop serves it
	own    *loop.Fd
	task   *loop.Task // who serves it
	plain  socketTransport
}

// fdStream is lent to transports by an exchange's buffers.
type fdStream = loop.FdStream

// serveSocket makes a plain socket the connection's transport.
func (c *conn) serveSocket(fd *loop.Fd) {
	fd.MayMove(true)
	c.own, c.plain = fd, socketTransport{own: fd}
	c.looped, c.transport = &c.plain, &c.plain
}

// serveTLS makes TLS over base, which is fd's, the connection's transport.
func (c *conn) serveTLS(nc net.Conn, base *loop.Conn, fd *loop.Fd) {
	t := &tlsTransport{nc: nc, secure: tlsbuf.Of(nc), base: base, own: fd}
	fd.MayMove(true)
	c.own, c.looped, c.transport = fd, t, t
}

// use has a task serve the connection.
func (c *conn) use(t *loop.Task) {
	c.task = t
	c.looped.use(t)
}

// served is the task that serves the connection; nil: a goroutine does.
func (c *conn) served() *loop.Task {
	if c.looped == nil {
		return nil
	}
	return c.task
}

// plug lends the transport what it needs of the buffers.
func (c *conn) plug() {
	if c.looped != nil {
		c.looped.open(&c.k.io)
	}
}

// unplug takes it away.
func (c *conn) unplug() {
	if c.looped != nil {
		c.looped.shut()
	}
}

// leave has the runtime's poller watch the connection from now on, for those who know no event loop.
func (c *conn) leave() {
	if c.looped == nil {
		return
	}
	c.beginLeaving()
	c.acquireBuffers()
	c.leftFor(c.looped.leave())
}

// leaveAsConn is leave for who wants a net.Conn.
func (c *conn) leaveAsConn() net.Conn {
	if c.looped != nil {
		c.beginLeaving()
		c.leftFor(c.looped.leaveAsConn(net.TCPAddrFromAddrPort(c.info.Local), net.TCPAddrFromAddrPort(c.info.Remote)))
	}
	return c.transport.(*netTransport).nc
}

// beginLeaving leaves the loop; nobody may wake the connection meanwhile.
func (c *conn) beginLeaving() {
	c.task.Block()
	c.setInterrupt(nil)
}

// leftFor makes t the transport, and tells the exchange under way that no event loop serves it any more.
func (c *conn) leftFor(t transport) {
	c.looped, c.transport = nil, t
	if c.k != nil {
		c.k.x.Task = nil
	}
	c.setInterrupt(t.interrupter())
}

// socketTransport is a socket of an event loop's.
type socketTransport struct {
	own  *loop.Fd
	task *loop.Task
	io   *loop.FdStream // nil while there is no work
}

func (t *socketTransport) read(p []byte, timeout time.Duration) (int, error) {
	return t.io.Read(p, timeout)
}

func (t *socketTransport) write(a, b []byte, timeout time.Duration) error {
	n, e := t.io.WriteNow(a, b)
	switch {
	case e != 0 && e != syscall.EAGAIN:
		return os.NewSyscallError("write", e)
	case n == len(a)+len(b):
		return nil
	}
	k := min(n, len(a))
	return t.io.Write(a[k:], b[n-k:], timeout)
}

func (t *socketTransport) try(p []byte) (int, syscall.Errno) { return t.io.ReadNow(p) }
func (t *socketTransport) begun() bool                       { return false }
func (t *socketTransport) drained() bool                     { return t.io.Drained() && !t.own.Ended() }
func (t *socketTransport) silent() bool                      { return t.io.Drained() || t.io.Look() != loop.Bytes }
func (t *socketTransport) socket() loop.Stream               { return t.io }
func (t *socketTransport) joined() deadlineConn              { return nil }
func (t *socketTransport) interrupter() interrupter          { return fdInterrupter{t.own} }
func (t *socketTransport) closeWrite() error                 { return sys.CloseWrite(t.own.N()) }
func (t *socketTransport) reset()                            { sys.Reset(t.own.N()) }
func (t *socketTransport) close()                            { t.own.Close(t.task) }
func (t *socketTransport) use(task *loop.Task)               { t.task = task }
func (t *socketTransport) end() tunnel.End                   { return tunnel.End{Fd: t.own} }

func (t *socketTransport) open(io *loop.FdStream) {
	io.Open(t.own)
	io.Use(t.task)
	t.io = io
}

func (t *socketTransport) shut() {
	t.io.Reset()
	t.io = nil
}

func (t *socketTransport) leave() transport {
	f := &fileTransport{file: os.NewFile(t.own.Release(t.task), "client"), io: &loop.PollStream{}}
	if err := f.io.Open(f.file, t.io.Sent()); err != nil {
		panic(err) // it has just been made
	}
	t.shut()
	return f
}

func (t *socketTransport) leaveAsConn(local, remote net.Addr) *netTransport {
	if t.io != nil {
		t.shut()
	}
	return &netTransport{nc: sys.NewFileConn(t.own.Release(t.task), local, remote)}
}

// tlsTransport is TLS on a socket of an event loop's.
type tlsTransport struct {
	nc     net.Conn
	secure *tls.Conn  // nc; nil when it is none
	base   *loop.Conn // below nc, or nc itself
	own    *loop.Fd
	task   *loop.Task
	lent   *bytes.Buffer // what records are received into while there is work
}

func (t *tlsTransport) read(p []byte, timeout time.Duration) (int, error) {
	t.base.ReadWithin(timeout)
	return t.nc.Read(p)
}

func (t *tlsTransport) write(a, b []byte, timeout time.Duration) error {
	t.base.WriteWithin(timeout)
	return writeBoth(t.nc, a, b)
}

func (t *tlsTransport) try(p []byte) (int, syscall.Errno) {
	t.base.Eager(true)
	n, err := t.nc.Read(p)
	t.base.Eager(false)
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

func (t *tlsTransport) begun() bool              { return t.base.Midway() }
func (t *tlsTransport) silent() bool             { return true }
func (t *tlsTransport) socket() loop.Stream      { return nil }
func (t *tlsTransport) joined() deadlineConn     { return nil }
func (t *tlsTransport) interrupter() interrupter { return fdInterrupter{t.own} }
func (t *tlsTransport) reset()                   {}
func (t *tlsTransport) close()                   { t.nc.Close() }

func (t *tlsTransport) drained() bool {
	return t.secure != nil && t.base.Drained() && !t.own.Ended() && !tlsbuf.Holds(t.secure)
}

func (t *tlsTransport) end() tunnel.End {
	return tunnel.End{Fd: t.own, TLS: t.nc, Below: t.base, Alone: t.nc == net.Conn(t.base)}
}

func (t *tlsTransport) open(*loop.FdStream) { t.lent = tlsbuf.Lend(t.secure) }

func (t *tlsTransport) shut() {
	tlsbuf.TakeBack(t.secure, t.lent)
	t.lent = nil
}

func (t *tlsTransport) closeWrite() error {
	if t.nc == net.Conn(t.base) {
		return closeWrite(t.nc, nil)
	}
	return closeWrite(t.nc, t.base.CloseWrite)
}

func (t *tlsTransport) use(task *loop.Task) {
	t.task = task
	t.base.Use(task)
}

func (t *tlsTransport) leave() transport { return t.leaveAsConn(nil, nil) }

func (t *tlsTransport) leaveAsConn(net.Addr, net.Addr) *netTransport {
	t.base.HandOff(ordinary(t.own, t.task, t.base))
	return &netTransport{nc: t.nc}
}

// ordinary is a loop's socket as one of the runtime's poller.
func ordinary(fd *loop.Fd, t *loop.Task, as net.Conn) net.Conn {
	return sys.NewFileConn(fd.Release(t), as.LocalAddr(), as.RemoteAddr())
}

// fileTransport is a plain socket that has left its event loop.
type fileTransport struct {
	file *os.File
	io   *loop.PollStream
	was  atomic.Bool // io sets its deadlines anew for each wait
}

func (t *fileTransport) read(p []byte, timeout time.Duration) (int, error) {
	return t.io.Read(p, timeout)
}

func (t *fileTransport) write(a, b []byte, timeout time.Duration) error {
	return t.io.Write(a, b, timeout)
}

func (t *fileTransport) begun() bool              { return false }
func (t *fileTransport) silent() bool             { return t.io.Look() != loop.Bytes }
func (t *fileTransport) socket() loop.Stream      { return t.io }
func (t *fileTransport) joined() deadlineConn     { return t.file }
func (t *fileTransport) interrupter() interrupter { return netInterrupter{t.file, &t.was} }
func (t *fileTransport) closeWrite() error        { return t.io.CloseWrite() }
func (t *fileTransport) reset()                   {}
func (t *fileTransport) close()                   { t.file.Close() }

// fdInterrupter is a loop's socket as others see it.
type fdInterrupter struct{ fd *loop.Fd }

// A connection of which nothing is there is parked.
func (p fdInterrupter) wake(bool) { p.fd.Nudge() }

func (p fdInterrupter) cut() { p.fd.Cut() }

// staysFor reports whether the event loop is to serve a tunnel, too.
func (c *conn) staysFor(t exchange.Tunnel) bool {
	l, ok := t.(exchange.LoopTunnel)
	return ok && c.looped != nil && l.JoinsInLoop()
}

// Watched is tunnel.Looped's.
func (e *end) Watched() (*loop.Task, tunnel.End) {
	if e.c.looped == nil {
		return nil, tunnel.End{}
	}
	return e.c.task, e.c.looped.end()
}

// Socket is the client's socket once what was read before is gone; nil with TLS.
func (e *end) Socket() loop.Stream {
	if len(e.early) > 0 {
		return nil
	}
	return e.c.socket()
}
