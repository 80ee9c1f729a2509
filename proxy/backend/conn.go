package backend

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// Conn is a connection to a worker, for one attempt after the other. Who acquired it owns it until
// Release. Reads and writes wait at most the attempt's timeout each.
type Conn struct {
	// Immutable.
	net   net.Conn // with TLS, if there is any
	pool  *pool
	addr  netip.Addr // of the far end; invalid for a unix socket
	tls   *TLS
	name  string // of the server in TLS
	raw   bool   // plain, and on Linux: io does the reads and writes
	own   own    // in place of net, or below it with TLS: an event loop's socket
	below below  // of net, with TLS, while an event loop serves it
	announced

	since int64 // under pool.mu: when it was last given back, by Clock

	// Owned by who acquired it.
	records
	io      loop.Stream // the socket below TLS, or itself; nil: it is not known
	to      target
	used    bool // was begun once
	reused  bool
	timeout time.Duration
	took    time.Duration // to make it
	began   time.Time     // about when the last attempt's Talk began
	start   int64         // what io had sent before the last attempt
	sent    int64         // what was written without io in this one
	before  int64         // what below had sent before this attempt
}

// ErrEarly says that the member answers while the request is still being written.
var ErrEarly = loop.ErrEarly

// poller is a plain connection of the net package.
type poller interface {
	net.Conn
	syscall.Conn
}

// newConn makes a Conn of a fresh connection; plain is what is below nc's TLS, or nc itself.
func newConn(p *pool, nc, plain net.Conn, addr netip.Addr) *Conn {
	c := &Conn{net: nc, pool: p, addr: addr}
	if pl, ok := plain.(poller); ok {
		c.io = polled(pl, 0)
		c.raw = nc == plain && c.io != nil
	}
	return c
}

// begin makes it ready for an attempt.
func (c *Conn) begin(x *exchange.Exchange, set *balancer.WorkerSettings, call *Call, to target) {
	c.serve(taskOf(x))
	c.reused, c.used = c.used, true
	c.timeout = timeoutOf(set, call)
	c.to = to
	c.sent = 0
	if c.io != nil {
		c.start = c.io.Sent()
	}
}

// Worker is whose connection it is.
func (c *Conn) Worker() *balancer.Worker { return c.pool.worker }

// Reused reports whether it came from the pool.
func (c *Conn) Reused() bool { return c.reused }

// Scheme is the scheme that the attempt speaks.
func (c *Conn) Scheme() string { return c.to.scheme }

// Keepable reports whether the worker's settings allow that the connection is used again
// (httpd: proxy_util.c ap_proxy_connection_reusable).
func (c *Conn) Keepable() bool {
	return c.to.own && !c.pool.worker.Settings().DisableReuse.V && c.IdleLimit(MaxIdle) > 0
}

// Timeout is how long one read or write may take.
func (c *Conn) Timeout() time.Duration { return c.timeout }

// SetTimeout changes it for this attempt (ping=).
func (c *Conn) SetTimeout(d time.Duration) { c.timeout = d }

// Sent is how many bytes were written since it was acquired.
func (c *Conn) Sent() int64 {
	if c.io == nil {
		return c.sent
	}
	return c.sent + c.io.Sent() - c.start
}

// Fail is a Failure of this connection's attempt.
func (c *Conn) Fail(kind Kind, err error) *Failure {
	return &Failure{Kind: kind, Err: err, Host: c.to.host, Port: c.to.port, Timeout: IsTimeout(err), Reused: c.reused}
}

// IsTimeout reports whether a read or write took too long.
func IsTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// Release gives it back: to the pool if keep, else it is closed. Whether the last exchange left it fit
// for another is the codec's to know; what the worker's settings say is looked at here.
func (c *Conn) Release(keep bool) {
	if keep && c.Keepable() {
		c.pool.put(c)
		return
	}
	c.close()
	c.pool.forget()
}

// Abort has the reads and writes under way fail; another goroutine may call it. The connection is of no
// use afterwards.
func (c *Conn) Abort() {
	if c.cut() {
		return
	}
	c.net.SetDeadline(time.Unix(1, 0))
	if r, ok := c.net.(interface{ CloseRead() error }); ok {
		r.CloseRead()
	}
}

// Reset has Release close it by a TCP reset: a member that has more to send learns that nobody reads it. One whose window is
// closed does not learn it from an ordinary end, if all that had come in was read: it asks for room, for a minute by
// default, and the system answers that there is none.
func (c *Conn) Reset() {
	if c.resetOwn() {
		return
	}
	nc := c.net
	if secure, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = secure.NetConn()
	}
	if l, ok := nc.(interface{ SetLinger(seconds int) error }); ok {
		l.SetLinger(0)
	}
}

func (c *Conn) close() {
	if c.net != nil {
		c.net.Close()
		return
	}
	c.shut()
}

// Read waits for bytes. The end is io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	if c.raw {
		return c.io.Read(p, c.timeout)
	}
	switch {
	case c.tls != nil && c.tls.Renegotiates: // a read may have to write
		c.net.SetDeadline(time.Now().Add(c.timeout))
	case !c.readWithin(c.timeout):
		c.net.SetReadDeadline(time.Now().Add(c.timeout))
	}
	n, err := c.net.Read(p)
	if n > 0 { // crypto/tls tells of an end that came with the last bytes at once, and again
		err = nil
	}
	return n, err
}

// TryRead is Read that does not wait: 0 and no error when nothing is there, or when that cannot be
// told.
func (c *Conn) TryRead(p []byte) (int, error) {
	if c.raw {
		return c.io.Try(p)
	}
	return c.tryNet(p)
}

// Readable reports whether something came in, an end included, as far as that can be told: what is to be
// seen below TLS need not be an answer.
func (c *Conn) Readable() bool { return c.raw && c.io.Look() != loop.Quiet }

// Undelivered tells for sure, after an end, that the member's system had closed the connection before
// any byte of this attempt reached it: the request may be sent again on another one, whatever its
// method.
func (c *Conn) Undelivered() bool {
	if c.raw {
		return c.io.Undelivered(c.start)
	}
	return c.undelivered()
}

// Write writes all of p.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.Write2(p, nil); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Write2 writes all of a and then b, if possible at once. What is free behind a may be written to.
func (c *Conn) Write2(a, b []byte) error {
	if c.raw {
		return c.io.Write(a, b, c.timeout)
	}
	return c.netWrite(a, b)
}

// WriteBody is Write2 that gives up with ErrEarly when the member answers instead of reading on, as
// far as that can be told.
func (c *Conn) WriteBody(a, b []byte) error {
	if c.raw {
		return c.io.WriteUnlessAnswered(a, b, c.timeout)
	}
	return c.netWrite(a, b)
}

func (c *Conn) netWrite(a, b []byte) error {
	if !c.writeWithin(c.timeout) {
		c.net.SetWriteDeadline(time.Now().Add(c.timeout))
	}
	if len(b) <= cap(a)-len(a) { // one record, and one write, for both
		a, b = append(a, b...), nil
	}
	for _, p := range [...][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		n, err := c.net.Write(p)
		c.sent += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// Talk writes a and b and waits for the first bytes of the answer. wrote reports whether the writing
// was done, so that an error is one of reading. now is the time, or not long ago.
func (c *Conn) Talk(now time.Time, a, b, in []byte) (n int, wrote bool, err error) {
	c.began = now
	if c.raw {
		return c.io.Talk(now, a, b, in, c.timeout)
	}
	if err := c.netWrite(a, b); err != nil {
		return 0, false, err
	}
	n, err = c.Read(in)
	return n, true, err
}

// Splicer is the socket itself, to move bytes from it without looking at them; nil when that cannot be
// done (TLS, other systems than Linux).
func (c *Conn) Splicer() loop.Stream {
	if !c.raw {
		return nil
	}
	return c.io
}

// Stream is the connection as one side of a tunnel. Release it when that is over.
func (c *Conn) Stream() exchange.Stream {
	c.disown()
	c.net.SetDeadline(time.Time{})
	return stream{c.net, c}
}

// stream adds CloseWrite to a connection.
type stream struct {
	net.Conn
	c *Conn
}

// Socket is the plain socket itself, nil with TLS.
func (s stream) Socket() loop.Stream { return s.c.Splicer() }

// CloseWrite ends our direction.
func (s stream) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Conn.Close()
}

var _ io.ReadWriter = (*Conn)(nil)
