package transport

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/tlsbuf"
)

// Loop is a connection that an event loop serves: whenever something has come in, or is to be sent, its job runs.
// Owned by the job, but e and fd.
type Loop struct {
	e    Endpoint
	fd   *loop.Fd
	base *loop.Conn // below nc
	nc   net.Conn
	end  func(*loop.Task)

	out      frames.Output // what is being written
	off      int           // of it, what TLS has
	fresh    bool          // it has never run
	first    []byte        // what was read before
	full     bool          // the system takes no more just now
	sent     int64         // how much it had taken when slowBy was set
	slowBy   time.Time
	lingers  bool // we have said our end
	lingerBy time.Time
}

var (
	_ loop.Job  = (*Loop)(nil)
	_ Transport = (*Loop)(nil)
)

// Socket is a connection of an event loop.
type Socket struct {
	Conn  net.Conn   // TLS, on Below; or Below itself
	Below *loop.Conn // on Fd
	Fd    *loop.Fd
	First []byte // what was read already
}

// NewLoop is what serves a connection from its first bytes to its end in an event loop: a job that is run once, and
// parks itself. end ends the connection when it is over.
func NewLoop(e Endpoint, s Socket, end func(*loop.Task)) *Loop {
	l := &Loop{e: e, fd: s.Fd, base: s.Below, nc: s.Conn, fresh: true, first: s.First}
	l.end = func(t *loop.Task) {
		e.Wrote(l.out)
		l.base.Serve(t)
		end(t)
	}
	l.fd.MayMove(false) // its streams' tasks stay in their loop
	l.base.Eager(true)
	l.base.Defer()
	return l
}

// Kick is Transport's.
func (l *Loop) Kick(by *loop.Task) { l.fd.Kick(by) }

// Undelivered reports whether it is sure that nothing reached the other side's system of what was written since Sent
// said before. Owned by the job.
func (l *Loop) Undelivered(before int64) bool { return l.base.Undelivered(before) }

// Sent is how many bytes were written, below TLS. Owned by the job.
func (l *Loop) Sent() int64 { return l.base.Sent() }

// Run serves what there is, and parks the connection.
func (l *Loop) Run(t *loop.Task) {
	for {
		over, now := false, time.Now()
		if !l.guardConnection(func() { over = l.step(t, now) }) {
			l.e.Lost(t)
			over = l.e.Over()
		}
		if over {
			l.end(t)
			return
		}
		if l.park(t, now) {
			return
		}
	}
}

// guardConnection runs f and reports whether it came to its end. A panic ends the connection.
func (l *Loop) guardConnection(f func()) (sound bool) {
	defer func() {
		if !sound {
			l.e.Panicked(recover())
		}
	}()
	f()
	return true
}

// step reads what has come, and writes what is to be sent. over: the connection is.
func (l *Loop) step(t *loop.Task, now time.Time) (over bool) {
	l.fd.ForgetRoom()
	if l.fresh || l.fd.Notified() {
		l.base.Use(t)
		if l.fresh {
			l.fresh = false
			l.e.Hello(t)
		}
		l.read(t)
	} else {
		l.base.Serve(t)
	}
	l.e.HandleTimeouts(t, now)
	l.flush(t, now)
	if l.e.Last() && !l.full && !l.e.Gone() {
		l.linger(t, now)
	}
	return l.e.Gone() && l.e.Over()
}

// read reads all that has come.
func (l *Loop) read(t *loop.Task) {
	e, secure := l.e, tlsbuf.Of(l.nc)
	lent := tlsbuf.Lend(secure)
	defer tlsbuf.TakeBack(secure, lent)
	if len(l.first) > 0 {
		l.takeFirst(t)
	}
	for !e.Gone() {
		n, err := e.Receive(t, l.nc)
		if n > 0 && e.Large() {
			l.flush(t, time.Now())
		}
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				e.Lost(t)
			}
			break
		}
	}
	e.Release()
}

// takeFirst takes in what was read before.
func (l *Loop) takeFirst(t *loop.Task) {
	for first := bytes.NewReader(l.first); first.Len() > 0; {
		l.e.Receive(t, first)
	}
	l.first = nil
}

// flush writes what the system takes of the output.
func (l *Loop) flush(t *loop.Task, now time.Time) {
	for l.full = false; !l.e.Gone(); {
		all, err := l.base.WriteUnsent()
		switch {
		case err != nil:
			l.e.Lost(t)
		case !all && l.fd.AwaitRoom():
			l.slow(t, now)
			return
		case !all:
		case !l.more(t):
			return
		default:
			n := len(l.out.B) - l.off
			if l.nc != net.Conn(l.base) { // a record at a time
				n = min(frames.MaxPayload, n)
			}
			if _, err := l.nc.Write(l.out.B[l.off : l.off+n]); err != nil {
				l.e.Lost(t)
			}
			l.off += n
		}
	}
}

// more reports whether there is output, and takes it.
func (l *Loop) more(t *loop.Task) bool {
	if l.off < len(l.out.B) {
		return true
	}
	if l.out.B != nil {
		l.e.Wrote(l.out)
	}
	l.out, l.off = l.e.Take(t), 0
	return len(l.out.B) > 0
}

// slow notes that the other side takes nothing just now. One that does so for long is cut off.
func (l *Loop) slow(t *loop.Task, now time.Time) {
	l.full = true
	if sent := l.base.Sent(); l.slowBy.IsZero() || sent != l.sent {
		l.sent, l.slowBy = sent, now.Add(l.e.Timeout())
	} else if !now.Before(l.slowBy) {
		l.e.Lost(t)
	}
}

// linger ends our direction: the other side is to end its own, so that no reset destroys what is on its way.
func (l *Loop) linger(t *loop.Task, now time.Time) {
	switch {
	case !l.lingers:
		l.lingers, l.lingerBy = true, now.Add(lingerTime)
		if n, ok := l.nc.(interface{ CloseWrite() error }); ok {
			n.CloseWrite()
		}
		l.base.CloseWrite()
	case !now.Before(l.lingerBy):
		l.e.Lost(t)
	}
}

// neverStops is for a park that nothing keeps from beginning.
var neverStops atomic.Bool

// park parks the connection until there is something to do. false: there is something already.
func (l *Loop) park(t *loop.Task, now time.Time) bool {
	due := l.e.Due(now)
	if l.full {
		due = min(due, l.slowBy.Sub(now))
	}
	if l.lingers {
		due = min(due, l.lingerBy.Sub(now))
	}
	l.base.Serve(nil)
	ok, err := l.fd.Park(t, l, max(due, time.Millisecond), &neverStops)
	if err != nil { // it can't be watched
		l.e.Lost(t)
		t.Block()
		time.Sleep(10 * time.Millisecond)
	}
	return ok
}
