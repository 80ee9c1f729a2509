package server

import (
	"cmp"
	"net"
	"sync/atomic"
	"time"

	"balancerd/proxy/internal/loop"
)

// transport is the client's end of a connection, owned by who serves it. There are four:
//
//	             plain bytes         TLS
//	in a loop    socketTransport     tlsTransport
//	beside them  fileTransport       netTransport, which is any other net.Conn, too
//
// The first three are Linux's alone; conn.leave makes one of the lower line of one of the upper line.
type transport interface {
	// read waits for bytes, for timeout at most. The end is io.EOF.
	read(p []byte, timeout time.Duration) (int, error)
	// write writes all of a and b.
	write(a, b []byte, timeout time.Duration) error
	// begun reports whether something was received that cannot be read yet: a part of a TLS record.
	begun() bool
	// silent reports whether nothing came in that was not read: closing would reset the connection.
	silent() bool
	// socket is the bare socket's reads and writes while requests are served; nil where bytes go through TLS.
	socket() loop.Stream
	// joined is what a tunnel reads and writes. Not of transports in a loop.
	joined() deadlineConn
	// interrupter is how others end its waits.
	interrupter() interrupter
	// closeWrite ends our direction.
	closeWrite() error
	// reset has close send a reset, where it can.
	reset()
	close()
}

// deadlineConn is a connection that waits by the runtime's poller.
type deadlineConn interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// netTransport is a net.Conn that no event loop knows.
type netTransport struct {
	nc  net.Conn
	rby time.Time // nc's deadlines that are set
	wby time.Time
	was atomic.Bool // nc's deadline for reads is another one's
}

func (t *netTransport) read(p []byte, timeout time.Duration) (int, error) {
	if t.was.Load() {
		t.was.Store(false)
		t.rby = time.Time{}
	}
	arm(&t.rby, t.nc.SetReadDeadline, timeout)
	return t.nc.Read(p)
}

func (t *netTransport) write(a, b []byte, timeout time.Duration) error {
	arm(&t.wby, t.nc.SetWriteDeadline, timeout)
	return writeBoth(t.nc, a, b)
}

// writeBoth writes all of a and b that is there.
func writeBoth(nc net.Conn, a, b []byte) error {
	for _, p := range [...][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		if _, err := nc.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func (t *netTransport) begun() bool              { return false }
func (t *netTransport) silent() bool             { return true }
func (t *netTransport) socket() loop.Stream      { return nil }
func (t *netTransport) joined() deadlineConn     { return t.nc }
func (t *netTransport) interrupter() interrupter { return netInterrupter{t.nc, &t.was} }
func (t *netTransport) reset()                   {}
func (t *netTransport) close()                   { t.nc.Close() }

func (t *netTransport) closeWrite() error { return closeWrite(t.nc, nil) }

// closeWrite ends our direction of a connection that can do that, and then that of the socket below TLS, if
// there is one (httpd: connection.c ap_lingering_close).
func closeWrite(nc net.Conn, below func() error) error {
	c, ok := nc.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	nc.SetWriteDeadline(time.Now().Add(time.Second)) // TLS says goodbye
	err := c.CloseWrite()
	if below != nil {
		err = cmp.Or(err, below())
	}
	return err
}

// netInterrupter is a connection as others see it.
type netInterrupter struct {
	c interface {
		SetReadDeadline(time.Time) error
		SetDeadline(time.Time) error
	}
	was *atomic.Bool
}

func (p netInterrupter) wake(awaits bool) {
	if awaits {
		p.was.Store(true)
		p.c.SetReadDeadline(longAgo)
	}
}

func (p netInterrupter) cut() { p.c.SetDeadline(longAgo) }

// arm sees to it that a deadline is at least timeout away, and not much more: setting one costs more
// than to look at the clock.
func arm(by *time.Time, set func(time.Time) error, timeout time.Duration) {
	now := time.Now()
	slack := min(timeout/8, 400*time.Millisecond)
	if left := by.Sub(now); left < timeout || left > timeout+slack {
		*by = now.Add(timeout + slack)
		set(*by)
	}
}
