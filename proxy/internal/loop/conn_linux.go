package loop

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// Conn is an Fd as a net.Conn, as crypto/tls wants one. Unlike other net.Conns only its task may use it,
// deadlines included, until HandOff makes it an ordinary one.
type Conn struct {
	fd            *Fd
	task          *Task
	local, remote net.Addr
	next          net.Conn // after HandOff: it does everything

	rby, wby     time.Time // deadlines; zero: a wait lasts as long as rwait and wwait say
	rwait, wwait time.Duration
	sent         int64 // bytes written; under mu while writes are deferred
	records      tlsRecords
	eager        bool // reads do not wait
	deferring    bool // nor do writes
	drained      bool // all that had come in was read
	closed       bool

	mu     sync.Mutex // reads inside of TLS may write
	unsent []byte     // what the system has not taken of deferred writes; under mu
}

var _ net.Conn = (*Conn)(nil)

// NewConn makes a Conn of a connected socket that t serves.
func NewConn(fd *Fd, t *Task, local, remote net.Addr) *Conn {
	return &Conn{fd: fd, task: t, local: local, remote: remote, rwait: time.Minute, wwait: time.Minute}
}

// Use has a task serve it from now on; the next Read reads before it waits.
func (c *Conn) Use(t *Task) { c.task, c.drained = t, false }

// Serve is Use for a Conn whose mark nobody has taken by Fd.PendingEvent in between: if all that had come in
// was read, the next Read waits at once. With nil nobody serves it: what would have to wait fails.
func (c *Conn) Serve(t *Task) { c.task = t }

// Drained reports whether all that had come in was read, as far as no event has told otherwise since.
func (c *Conn) Drained() bool { return c.drained }

// NewConnOver makes a Conn for which another connection does everything, as after HandOff, until Adopt.
func NewConnOver(nc net.Conn) *Conn {
	return &Conn{next: nc, local: nc.LocalAddr(), remote: nc.RemoteAddr(), rwait: time.Minute, wwait: time.Minute}
}

// Adopt ends what HandOff or NewConnOver began: the connection that did everything is closed, and fd, a
// duplicate of its descriptor, serves instead. Nobody may be reading or writing.
func (c *Conn) Adopt(fd *Fd, t *Task) {
	c.next.Close()
	c.next, c.fd, c.task, c.drained = nil, fd, t, false
}

// ReadWithin replaces the deadline of reads by a timeout of each wait for bytes.
func (c *Conn) ReadWithin(d time.Duration) { c.rby, c.rwait = time.Time{}, d }

// WriteWithin replaces the deadline of writes by a timeout of each wait for the system's buffer.
func (c *Conn) WriteWithin(d time.Duration) { c.wby, c.wwait = time.Time{}, d }

// Eager says whether reads fail with os.ErrDeadlineExceeded rather than wait.
func (c *Conn) Eager(eager bool) { c.eager = eager }

// HandOff has next, an ordinary connection of the descriptor that Fd.Release returned, do everything from now
// on: any goroutine may use it then.
func (c *Conn) HandOff(next net.Conn) { c.next = next }

// Read waits for bytes.
func (c *Conn) Read(p []byte) (int, error) {
	if c.next != nil {
		n, err := c.next.Read(p)
		c.records.received(p[:n])
		return n, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if !c.drained || c.fd.PendingEvent() {
			n, e := sys.Read(c.fd.N(), p)
			c.drained = n < len(p) && (n > 0 || e == syscall.EAGAIN)
			switch {
			case n > 0:
				c.records.received(p[:n])
				return n, nil
			case e == 0:
				return 0, io.EOF
			case e != syscall.EAGAIN:
				return 0, os.NewSyscallError("read", e)
			}
		}
		if c.eager {
			return 0, os.ErrDeadlineExceeded
		}
		if err := c.fd.wait(c.task, &c.fd.r, within(c.rby, c.rwait)); err != nil {
			return 0, err
		}
		c.drained = false
	}
}

// Write writes all of p. A timeout begins anew whenever some of it was written.
func (c *Conn) Write(p []byte) (int, error) {
	if c.next != nil {
		n, err := c.next.Write(p)
		c.sent += int64(n)
		return n, err
	}
	if c.deferring {
		return c.writeDeferred(p)
	}
	for sent := 0; ; {
		n, e := sys.Write(c.fd.N(), p[sent:])
		if n > 0 {
			sent += n
			c.sent += int64(n)
		}
		switch {
		case e != 0 && e != syscall.EAGAIN:
			return sent, os.NewSyscallError("write", e)
		case sent == len(p):
			return sent, nil
		}
		if err := c.fd.wait(c.task, &c.fd.w, within(c.wby, c.wwait)); err != nil {
			return sent, err
		}
	}
}

// Defer has writes not wait either, from now on: what the system does not take is kept, and WriteUnsent tries
// again. A caller that writes on meanwhile has more of it kept.
func (c *Conn) Defer() { c.deferring = true }

func (c *Conn) writeDeferred(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := p
	if len(c.unsent) == 0 {
		var err error
		if left, err = c.writeNow(p); err != nil {
			return len(p) - len(left), err
		}
	}
	c.unsent = append(c.unsent, left...)
	return len(p), nil
}

// writeNow writes what the system takes of p, and returns the rest. Under mu.
func (c *Conn) writeNow(p []byte) (left []byte, err error) {
	for len(p) > 0 {
		n, e := sys.Write(c.fd.N(), p)
		if n > 0 {
			c.sent += int64(n)
			p = p[n:]
		}
		switch e {
		case 0:
		case syscall.EAGAIN:
			return p, nil
		default:
			return p, os.NewSyscallError("write", e)
		}
	}
	return nil, nil
}

// WriteUnsent writes what the system takes now of what Defer has kept, and reports whether that is all.
func (c *Conn) WriteUnsent() (all bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.unsent) == 0 {
		return true, nil
	}
	left, err := c.writeNow(c.unsent)
	if len(left) == 0 {
		c.unsent = nil
		return true, err
	}
	c.unsent = c.unsent[:copy(c.unsent, left)]
	return false, err
}

// Await has t wait until something comes in, after an eager read that brought nothing.
func (c *Conn) Await(t *Task, timeout time.Duration) error {
	err := c.fd.wait(t, &c.fd.r, timeout)
	if err == nil {
		c.drained = false
	}
	return err
}

// AwaitRoom has t wait until the system takes more of what deferred writes have kept.
func (c *Conn) AwaitRoom(t *Task, timeout time.Duration) error {
	return c.fd.wait(t, &c.fd.w, timeout)
}

// Sent is how many bytes were written since it was made.
func (c *Conn) Sent() int64 {
	if c.deferring {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	return c.sent
}

// Midway reports whether a TLS record was read in part, so that TLS can give nothing of it yet.
func (c *Conn) Midway() bool { return c.records.midway() }

// Undelivered is Stream.Undelivered for what was written since Sent said before.
func (c *Conn) Undelivered(before int64) bool {
	acked, ok := sys.Acked(c.fd.N())
	return ok && c.sent > before && acked <= before
}

// within is how long a wait may last.
func within(by time.Time, wait time.Duration) time.Duration {
	if by.IsZero() {
		return wait
	}
	return max(0, time.Until(by))
}

// CloseWrite ends our direction.
func (c *Conn) CloseWrite() error {
	if c.next == nil {
		return sys.CloseWrite(c.fd.N())
	}
	if n, ok := c.next.(interface{ CloseWrite() error }); ok {
		return n.CloseWrite()
	}
	return nil
}

// Close closes it.
func (c *Conn) Close() error {
	switch {
	case c.next != nil:
		return c.next.Close()
	case c.closed:
		return net.ErrClosed
	}
	c.closed = true
	c.fd.Close(c.task)
	return nil
}

// LocalAddr is our end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other one.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both.
func (c *Conn) SetDeadline(t time.Time) error {
	if c.next != nil {
		return c.next.SetDeadline(t)
	}
	c.rby, c.wby = t, t
	return nil
}

// SetReadDeadline sets when waits of reads end; zero: they last as long as ReadWithin says.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.next != nil {
		return c.next.SetReadDeadline(t)
	}
	c.rby = t
	return nil
}

// SetWriteDeadline is the same for writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.next != nil {
		return c.next.SetWriteDeadline(t)
	}
	c.wby = t
	return nil
}
