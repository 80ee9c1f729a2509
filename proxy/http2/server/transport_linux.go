package server

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/tlsbuf"
)

// loopTransport is a connection that an event loop serves: whenever something has come in, or is to be sent, its job runs.
// Its streams' exchanges are tasks of the loop. Owned by the job, but c.
type loopTransport struct {
	c    *conn
	fd   *loop.Fd
	base *loop.Conn // below nc
	nc   net.Conn
	end  func(*loop.Task)

	out      written // what is being written
	off      int     // of it, what TLS has
	fresh    bool    // it has never run
	full     bool    // the system takes no more just now
	sent     int64   // how much it had taken when slowBy was set
	slowBy   time.Time
	lingers  bool // we have said our end
	lingerBy time.Time
}

var _ loop.Job = (*loopTransport)(nil)

// Client is a connection as an event loop serves it, after its handshake.
type Client struct {
	Conn     net.Conn   // TLS, on Below
	Below    *loop.Conn // on Fd
	Fd       *loop.Fd
	Info     *exchange.Conn // stays as it is meanwhile
	Reporter Reporter
	End      func(*loop.Task) // ends it, when it is over
}

// Job is what serves a connection from its preface to its end in an event loop: it is run once, and parks itself.
func (s *Server) Job(client Client) loop.Job {
	c := s.open(client.Info, client.Reporter)
	l := &loopTransport{c: c, fd: client.Fd, base: client.Below, nc: client.Conn, fresh: true}
	l.end = func(t *loop.Task) {
		s.close(c)
		c.wrote(l.out)
		client.End(t)
	}
	c.transport = l
	l.base.Eager(true)
	l.base.Defer()
	return l
}

func (l *loopTransport) kick(by *loop.Task) { l.fd.Kick(by) }

func (l *loopTransport) begin(by *loop.Task, st *stream) { by.Spawn(st) }

// Run serves what there is, and parks the connection.
func (l *loopTransport) Run(t *loop.Task) {
	for {
		over, now := false, time.Now()
		if !l.guardConnection(func() { over = l.step(t, now) }) {
			l.c.clientGone(t)
			over = l.c.over()
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
func (l *loopTransport) guardConnection(f func()) (sound bool) {
	defer func() {
		if !sound {
			l.c.s.panicked(recover(), " while serving "+l.c.info.RemoteText)
		}
	}()
	f()
	return true
}

// step reads what has come, and writes what is to be sent. over: the connection is.
func (l *loopTransport) step(t *loop.Task, now time.Time) (over bool) {
	l.fd.ForgetRoom()
	if l.fresh || l.fd.Notified() {
		l.base.Use(t)
		if l.fresh {
			l.fresh = false
			l.c.hello(t)
		}
		l.read(t)
	} else {
		l.base.Serve(t)
	}
	l.c.handleTimeouts(t, now)
	l.flush(t, now)
	if l.c.isLast() && !l.full && !l.c.isGone() {
		l.linger(t, now)
	}
	return l.c.isGone() && l.c.over()
}

// read reads all that has come.
func (l *loopTransport) read(t *loop.Task) {
	c, secure := l.c, tlsbuf.Of(l.nc)
	lent := tlsbuf.Lend(secure)
	defer tlsbuf.TakeBack(secure, lent)
	for !c.isGone() {
		n, err := c.receive(t, l.nc)
		if n > 0 && c.large() {
			l.flush(t, time.Now())
		}
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				c.clientGone(t)
			}
			break
		}
	}
	c.release()
}

// flush writes what the system takes of the output.
func (l *loopTransport) flush(t *loop.Task, now time.Time) {
	for l.full = false; !l.c.isGone(); {
		all, err := l.base.WriteUnsent()
		switch {
		case err != nil:
			l.c.clientGone(t)
		case !all && l.fd.AwaitRoom():
			l.slow(t, now)
			return
		case !all:
		case !l.more(t):
			return
		default:
			n := min(mostFrame, len(l.out.b)-l.off)
			if _, err := l.nc.Write(l.out.b[l.off : l.off+n]); err != nil {
				l.c.clientGone(t)
			}
			l.off += n
		}
	}
}

// more reports whether there is output, and takes it.
func (l *loopTransport) more(t *loop.Task) bool {
	if l.off < len(l.out.b) {
		return true
	}
	if l.out.b != nil {
		l.c.wrote(l.out)
	}
	l.out, l.off = l.c.take(t), 0
	return len(l.out.b) > 0
}

// slow notes that the client takes nothing just now. One that does so for long is cut off.
func (l *loopTransport) slow(t *loop.Task, now time.Time) {
	l.full = true
	if sent := l.base.Sent(); l.slowBy.IsZero() || sent != l.sent {
		l.sent, l.slowBy = sent, now.Add(l.c.server.IOTimeout())
	} else if !now.Before(l.slowBy) {
		l.c.clientGone(t)
	}
}

// linger ends our direction: the client is to end its own, so that no reset destroys what is on its way.
func (l *loopTransport) linger(t *loop.Task, now time.Time) {
	switch {
	case !l.lingers:
		l.lingers, l.lingerBy = true, now.Add(lingerTime)
		if n, ok := l.nc.(interface{ CloseWrite() error }); ok {
			n.CloseWrite()
		}
		l.base.CloseWrite()
	case !now.Before(l.lingerBy):
		l.c.clientGone(t)
	}
}

// neverStops is for a park that nothing keeps from beginning.
var neverStops atomic.Bool

// park parks the connection until there is something to do. false: there is something already.
func (l *loopTransport) park(t *loop.Task, now time.Time) bool {
	due := l.c.due(now)
	if l.full {
		due = min(due, l.slowBy.Sub(now))
	}
	if l.lingers {
		due = min(due, l.lingerBy.Sub(now))
	}
	l.base.Serve(nil)
	ok, err := l.fd.Park(t, l, max(due, time.Millisecond), &neverStops)
	if err != nil { // it can't be watched
		l.c.clientGone(t)
		t.Block()
		time.Sleep(10 * time.Millisecond)
	}
	return ok
}
