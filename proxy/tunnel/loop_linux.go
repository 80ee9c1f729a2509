package tunnel

import (
	"net"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// Looped is a client's stream that an event loop serves.
type Looped interface {
	exchange.Stream
	// Watched is the task that serves it, and what a tunnel joins; nil: none does.
	Watched() (*loop.Task, End)
}

// End is one side of a tunnel in an event loop. Immutable.
type End struct {
	Part  Part // in place of all that follows; nil: it is a socket
	Fd    *loop.Fd
	TLS   net.Conn   // nil: there is none
	Below *loop.Conn // below TLS
	Alone bool       // our end is told by TLS alone, not by the socket
}

// Part is a side that has no socket of its own, as a stream of HTTP/2.
type Part interface {
	// Source reads it as a task, Sink writes it as another one of the same loop.
	Source(t *loop.Task) Source
	Sink(t *loop.Task) Sink
	// Cut ends both directions, and with that all waits for them.
	Cut()
}

// inLoop is the ends of a relay in an event loop, whose directions are tasks of that.
type inLoop struct {
	in       Source
	out      Sink
	from, to End
}

// Source is what a direction reads.
type Source interface {
	// ReadNow reads once; EAGAIN: nothing has come in.
	ReadNow(p []byte) (int, syscall.Errno)
	// Drained reports whether that took all that had come in.
	Drained() bool
	// Await waits for more.
	Await(timeout time.Duration) error
}

// Sink is what it writes.
type Sink interface {
	// Write writes p; the timeout begins anew whenever some of it is gone. With an error n bytes need not be written
	// again, so that the next call goes on.
	Write(p []byte, timeout time.Duration) (n int, err error)
	// CloseWrite ends the direction.
	CloseWrite() error
}

// JoinInLoop is Join of two sides that an event loop serves; t, one of its tasks, calls it. That takes one
// direction, another task the other one: no goroutine waits.
func JoinInLoop(t *loop.Task, client, member End, o Options) Moved {
	n := newTunnel(o)
	client.begin()
	member.begin()
	up := &relay{tunnel: n, closeBoth: o.Whole}
	down := &downward{relay: relay{tunnel: n, closeBoth: o.Whole, fromMember: true}, first: o.FromMember, from: member, to: client}
	n.pair(up, &down.relay)
	t.Spawn(down)
	up.openInLoop(t, client, member)
	defer up.cutAs(o)()
	failed := up.recovered(o.FromClient)
	for down.over.Wait(t, never) != nil {
	}
	return over(o, up, &down.relay, failed, down.failed)
}

// downward is the job that relays from the member to the client.
type downward struct {
	relay
	first    []byte
	from, to End
	failed   *relayPanic // before over is set
	over     loop.Event
}

var _ loop.Job = (*downward)(nil)

// Run relays to the end.
func (d *downward) Run(t *loop.Task) {
	defer d.over.Set(t)
	d.openInLoop(t, d.from, d.to)
	d.failed = d.recovered(d.first)
}

// openInLoop has a task relay.
func (r *relay) openInLoop(t *loop.Task, from, to End) {
	l := &inLoop{in: from.source(t), out: to.sink(t), from: from, to: to}
	r.looped = l
	if in, out := spliceable(l.in), spliceable(l.out); in != nil && out != nil {
		r.in, r.out = in, out
	}
}

// stream is a plain socket as the task of one direction uses it: the other task has one of its own.
func (e End) stream(t *loop.Task) *loop.FdStream {
	s := &loop.FdStream{}
	s.Open(e.Fd)
	s.Use(t)
	return s
}

// spliceable is what can be spliced; nil: nothing.
func spliceable(end any) loop.Stream {
	switch s := end.(type) {
	case *loop.FdStream:
		return s
	case plainSink:
		return s.FdStream
	}
	return nil
}

// plainSink writes to a plain socket.
type plainSink struct{ *loop.FdStream }

// Write is Sink's.
func (s plainSink) Write(p []byte, timeout time.Duration) (int, error) {
	return writeTo(s.FdStream, p, timeout)
}

func (e End) source(t *loop.Task) Source {
	switch {
	case e.Part != nil:
		return e.Part.Source(t)
	case e.TLS != nil:
		return newSecureSource(e, t)
	}
	return e.stream(t)
}

func (e End) sink(t *loop.Task) Sink {
	switch {
	case e.Part != nil:
		return e.Part.Sink(t)
	case e.TLS != nil:
		return &secureSink{e, t}
	}
	return plainSink{e.stream(t)}
}

// ended reports whether a socket's other side has ended.
func (e End) ended() bool { return e.Part == nil && e.Fd.Ended() }

func (e End) cut() {
	if e.Part != nil {
		e.Part.Cut()
	} else {
		e.Fd.Cut()
	}
}

// takeInLoop waits for bytes, with no buffer held meanwhile, and reads.
func (r *relay) takeInLoop() error {
	l := r.looped
	for wait := l.in.Drained() && !l.from.ended(); ; wait = true {
		if wait {
			if err := l.in.Await(r.nextReadTimeout()); err != nil {
				return err
			}
		}
		if r.stopping.Load() {
			return os.ErrDeadlineExceeded
		}
		r.b = buffers.Get().(*[bufferSize]byte)
		if r.n, r.errno = l.in.ReadNow(r.b[:]); r.errno != syscall.EAGAIN {
			return nil
		}
		r.drop()
	}
}

// cut ends both sides in an event loop, and with that all waits for them; false: they are not a loop's.
func (r *relay) cut() bool {
	if r.looped == nil {
		return false
	}
	r.looped.from.cut()
	r.looped.to.cut()
	return true
}

func (r *relay) closeWrite() error {
	if r.looped != nil {
		return r.looped.out.CloseWrite()
	}
	return r.to.CloseWrite()
}
