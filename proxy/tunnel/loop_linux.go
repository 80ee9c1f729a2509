package tunnel

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// Looped is a client's stream whose plain socket an event loop serves.
type Looped interface {
	exchange.Stream
	// Watched is the task that serves it, and the socket; nil: none does.
	Watched() (*loop.Task, *loop.Fd)
}

// inLoop is the ends of a relay in an event loop, whose directions are tasks of that.
type inLoop struct {
	in       *loop.FdStream
	from, to *loop.Fd
}

// JoinInLoop is Join of two sockets that an event loop watches; t, one of its tasks, calls it. That takes one
// direction, another task the other one: no goroutine waits.
func JoinInLoop(t *loop.Task, client, member *loop.Fd, o Options) Moved {
	n := &tunnel{idle: o.Idle, began: time.Now()}
	n.touch()
	up := &relay{tunnel: n, closeBoth: o.Whole}
	down := &downward{relay: relay{tunnel: n, closeBoth: o.Whole}, first: o.FromMember, from: member, to: client}
	t.Spawn(down)
	up.openInLoop(t, client, member)
	defer up.cutAs(o)()
	failed := up.recovered(o.FromClient)
	for down.over.Wait(t, never) != nil {
	}
	return over(up, &down.relay, failed, down.failed)
}

// downward is the job that relays from the member to the client.
type downward struct {
	relay
	first    []byte
	from, to *loop.Fd
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

// openInLoop has a task relay. The streams are the direction's own: the other task uses the sockets, too.
func (r *relay) openInLoop(t *loop.Task, from, to *loop.Fd) {
	in, out := &loop.FdStream{}, &loop.FdStream{}
	in.Open(from)
	in.Use(t)
	out.Open(to)
	out.Use(t)
	r.in, r.out, r.looped = in, out, &inLoop{in: in, from: from, to: to}
}

// takeInLoop waits for bytes, with no buffer held meanwhile, and reads.
func (r *relay) takeInLoop() error {
	l := r.looped
	for wait := l.in.Drained() && !l.from.Ended(); ; wait = true {
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

// cut ends both sockets of an event loop, and with that all waits for them; false: they are not a loop's.
func (r *relay) cut() bool {
	if r.looped == nil {
		return false
	}
	r.looped.from.Cut()
	r.looped.to.Cut()
	return true
}

func (r *relay) closeWrite() error {
	if r.looped != nil {
		return r.out.CloseWrite()
	}
	return r.to.CloseWrite()
}
