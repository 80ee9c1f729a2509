package tunnel

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// Options are what a tunnel may be told.
type Options struct {
	Idle       time.Duration // how long nothing may come from either side; 0: for ever
	Whole      bool          // the first end of either side ends both (proxy-nohalfclose)
	FromClient []byte        // what the client had sent already: it goes first
	FromMember []byte
	Ending     *Ending        // is set to how it ended; nil: nobody wants to know
	Cut        func(f func()) // has f called, by any goroutine, when the connection is cut off; f is nil once that is over. nil: none is
}

// Moved is how many bytes went which way.
type Moved struct{ ToMember, ToClient int64 }

// Join copies between a client and a member until both sides have ended, one has failed, or neither
// sent anything for as long as Idle says. An end of one side is passed on to the other, which may still
// send. It closes neither (httpd: proxy_util.c ap_proxy_tunnel_run).
func Join(client, member exchange.Stream, o Options) Moved {
	t := newTunnel(o)
	up := &relay{tunnel: t, from: client, to: member, closeBoth: o.Whole}
	down := &relay{tunnel: t, from: member, to: client, closeBoth: o.Whole, fromMember: true}
	t.pair(up, down)
	up.open()
	down.open()
	defer up.cutAs(o)()
	done := make(chan *relayPanic)
	go func() { done <- down.recovered(o.FromMember) }() // brings a panic as its result
	failed := up.recovered(o.FromClient)
	return over(o, up, down, failed, <-done)
}

// cutAs has both directions end when the connection is cut off, until what it returns is called.
func (r *relay) cutAs(o Options) (over func()) {
	if o.Cut == nil {
		return func() {}
	}
	o.Cut(r.stop)
	return func() { o.Cut(nil) }
}

// over is Join's end, once both directions are: with a panic if either had one.
func over(o Options, up, down *relay, failures ...*relayPanic) Moved {
	for _, f := range failures {
		if f != nil {
			panic(f)
		}
	}
	if o.Ending != nil {
		*o.Ending = up.ending()
	}
	return Moved{ToMember: up.moved, ToClient: down.moved}
}

// relayPanic is a panic in either direction. It goes on in Join's caller, so that who serves the exchange
// can end it, once both directions have ended.
type relayPanic struct {
	cause any
	stack []byte
}

func (f *relayPanic) Error() string { return fmt.Sprintf("%v\n%s", f.cause, f.stack) }

// recovered is run that catches a panic.
func (r *relay) recovered(first []byte) (f *relayPanic) {
	defer func() {
		if p := recover(); p != nil {
			f = &relayPanic{p, debug.Stack()}
			r.stop()
		}
	}()
	r.run(first)
	return nil
}

// tunnel is what both directions share.
type tunnel struct {
	idle     time.Duration
	began    time.Time    // immutable
	last     atomic.Int64 // when anything moved, in nanoseconds since began: the clock may be set meanwhile
	stopping atomic.Bool

	directions [2]*direction // the client's bytes, the member's; immutable
	ended      atomic.Pointer[Ending]
}

// pair makes both directions known to each other.
func (t *tunnel) pair(up, down *relay) {
	t.directions = [2]*direction{&up.direction, &down.direction}
	up.other, down.other = &down.direction, &up.direction
}

func newTunnel(o Options) *tunnel {
	t := &tunnel{idle: o.Idle, began: time.Now()}
	t.touch()
	return t
}

func (t *tunnel) touch() { t.last.Store(int64(time.Since(t.began))) }

// left is how long both sides may still be silent.
func (t *tunnel) left() time.Duration {
	return t.idle - time.Since(t.began) + time.Duration(t.last.Load())
}

// relay is one direction. Owned by its goroutine, or task.
type relay struct {
	*tunnel
	sockets
	direction
	other      *direction
	from, to   exchange.Stream // nil in an event loop
	fromMember bool
	closeBoth  bool
	moved      int64
}

var longAgo = time.Unix(1, 0)

// stop ends both directions.
func (r *relay) stop() {
	r.stopping.Store(true)
	if r.cut() {
		return
	}
	for _, s := range [...]exchange.Stream{r.from, r.to} {
		s.SetReadDeadline(longAgo)
		s.SetWriteDeadline(longAgo)
	}
	r.interruptWrites()
}

// run copies to the end of from.
func (r *relay) run(first []byte) {
	err := r.copy(first)
	r.ends(err)
	defer r.finished.Store(true)
	switch {
	case err == nil && !r.closeBoth:
		if r.closeWrite() != nil {
			r.stop()
		}
	default:
		r.stop()
	}
}

// copy moves bytes; nil is the end of from.
func (r *relay) copy(first []byte) error {
	if len(first) > 0 {
		if err := r.pass(first); err != nil {
			return err
		}
	}
	for {
		ended, err := r.relaySome()
		switch {
		case ended:
			return nil
		case err != nil && (r.writing.Load() || !r.waitsOn(err)):
			return err
		}
	}
}

// pass writes p. A side that takes nothing of it for as long as the tunnel may be silent ends that only if nothing
// comes the other way, either.
func (r *relay) pass(p []byte) error {
	r.touch()
	r.writing.Store(true)
	for {
		n, err := r.write(p)
		r.moved += int64(n)
		if err == nil {
			r.touch()
			r.writing.Store(false)
			return nil
		}
		if !r.waitsOn(err) {
			return err
		}
		p = p[n:]
	}
}

// waitsOn reports whether a wait that has ended may begin again.
func (r *relay) waitsOn(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && !r.stopping.Load() && (r.left() > 0 || r.otherWrites())
}

// otherWrites reports whether the other direction is about to write: it knows by itself when that takes too long.
func (r *relay) otherWrites() bool { return !r.writing.Load() && r.other.writing.Load() }

func release(b *[bufferSize]byte) {
	poison.Bytes(b[:])
	poison.Put(&buffers, b)
}

// buffers hold bytes that are on their way.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
