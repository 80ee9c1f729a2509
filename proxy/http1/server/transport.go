package server

import (
	"cmp"
	"net"
	"sync/atomic"
	"time"

	"balancerd/proxy/internal/loop"
)

// transport is the client's end of a connection: a socket of an event loop's (raw), TLS on one (sec), or a
// net.Conn that is neither. Owned by who serves it.
type transport struct {
	nc  net.Conn  // nil with raw
	rby time.Time // nc's deadlines that are set
	wby time.Time
	was atomic.Bool // nc's deadline for reads is another one's
	raw bool
	io  loop.Stream // with raw, while there is work
	system
}

// read waits for bytes. The end is io.EOF.
func (t *transport) read(p []byte, timeout time.Duration) (int, error) {
	if t.raw {
		return t.io.Read(p, timeout)
	}
	if t.was.Load() {
		t.was.Store(false)
		t.rby = time.Time{}
	}
	if !t.pace(timeout) {
		arm(&t.rby, t.nc.SetReadDeadline, timeout)
	}
	return t.nc.Read(p)
}

// write writes all of a and b.
func (t *transport) write(a, b []byte, timeout time.Duration) error {
	if t.raw {
		return t.rawWrite(a, b, timeout)
	}
	if !t.paceOut(timeout) {
		arm(&t.wby, t.nc.SetWriteDeadline, timeout)
	}
	for _, p := range [...][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		if _, err := t.nc.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// netInterrupter is a connection as others see it.
type netInterrupter struct {
	deadlines
	was *atomic.Bool
}

// deadlines are those of a connection.
type deadlines interface {
	SetReadDeadline(time.Time) error
	SetDeadline(time.Time) error
}

func (p netInterrupter) wake(awaits bool) {
	if awaits {
		p.was.Store(true)
		p.SetReadDeadline(longAgo)
	}
}

func (p netInterrupter) cut() { p.SetDeadline(longAgo) }

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

// closeWrite ends our direction.
func (t *transport) closeWrite() error {
	if t.raw {
		return t.rawCloseWrite()
	}
	c, ok := t.nc.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	t.nc.SetWriteDeadline(time.Now().Add(time.Second)) // TLS says goodbye
	return cmp.Or(c.CloseWrite(), t.below())
}

// close ends the connection.
func (t *transport) close() {
	if t.raw {
		t.rawClose()
		return
	}
	t.nc.Close()
}
