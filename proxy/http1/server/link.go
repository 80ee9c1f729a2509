package server

import (
	"cmp"
	"net"
	"sync/atomic"
	"time"

	"balancerd/proxy/internal/loop"
)

// link is the client's end of a connection: a socket of an event loop's (raw), TLS on one (sec), or a
// net.Conn that is neither. Owned by who serves it.
type link struct {
	nc  net.Conn  // nil with raw
	rby time.Time // nc's deadlines that are set
	wby time.Time
	was atomic.Bool // nc's deadline for reads is another one's
	raw bool
	io  loop.Stream // with raw, while there is work
	system
}

// read waits for bytes. The end is io.EOF.
func (l *link) read(p []byte, timeout time.Duration) (int, error) {
	if l.raw {
		return l.io.Read(p, timeout)
	}
	if l.was.Load() {
		l.was.Store(false)
		l.rby = time.Time{}
	}
	if !l.pace(timeout) {
		arm(&l.rby, l.nc.SetReadDeadline, timeout)
	}
	return l.nc.Read(p)
}

// write writes all of a and b.
func (l *link) write(a, b []byte, timeout time.Duration) error {
	if l.raw {
		return l.rawWrite(a, b, timeout)
	}
	if !l.paceOut(timeout) {
		arm(&l.wby, l.nc.SetWriteDeadline, timeout)
	}
	for _, p := range [...][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		if _, err := l.nc.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// netPoked is a connection as others see it.
type netPoked struct {
	deadlines
	was *atomic.Bool
}

// deadlines are those of a connection.
type deadlines interface {
	SetReadDeadline(time.Time) error
	SetDeadline(time.Time) error
}

func (p netPoked) wake(awaits bool) {
	if awaits {
		p.was.Store(true)
		p.SetReadDeadline(longAgo)
	}
}

func (p netPoked) cut() { p.SetDeadline(longAgo) }

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
func (l *link) closeWrite() error {
	if l.raw {
		return l.rawCloseWrite()
	}
	c, ok := l.nc.(interface{ CloseWrite() error })
	if !ok {
		return nil
	}
	l.nc.SetWriteDeadline(time.Now().Add(time.Second)) // TLS says goodbye
	return cmp.Or(c.CloseWrite(), l.below())
}

// close ends the connection.
func (l *link) close() {
	if l.raw {
		l.rawClose()
		return
	}
	l.nc.Close()
}
