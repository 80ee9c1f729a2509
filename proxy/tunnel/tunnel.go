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
}

// Moved is how many bytes went which way.
type Moved struct{ ToMember, ToClient int64 }

// Join copies between a client and a member until both sides have ended, one has failed, or neither
// sent anything for as long as Idle says. An end of one side is passed on to the other, which may still
// send. It closes neither (httpd: proxy_util.c ap_proxy_tunnel_run).
func Join(client, member exchange.Stream, o Options) Moved {
	j := &join{idle: o.Idle, began: time.Now()}
	j.stir()
	up := &relay{join: j, from: client, to: member, whole: o.Whole}
	down := &relay{join: j, from: member, to: client, whole: o.Whole}
	up.open()
	down.open()
	done := make(chan *fall)
	go func() { done <- down.guarded(o.FromMember) }() // brings a panic as its result
	fell := up.guarded(o.FromClient)
	if other := <-done; fell == nil {
		fell = other
	}
	if fell != nil {
		panic(fell)
	}
	return Moved{ToMember: up.moved, ToClient: down.moved}
}

// fall is a panic in either direction. It goes on in Join's caller, so that who serves the exchange
// can end it, once both directions have ended.
type fall struct {
	cause any
	stack []byte
}

func (f *fall) Error() string { return fmt.Sprintf("%v\n%s", f.cause, f.stack) }

// guarded is run that catches a panic.
func (r *relay) guarded(first []byte) (f *fall) {
	defer func() {
		if p := recover(); p != nil {
			f = &fall{p, debug.Stack()}
			r.stop()
		}
	}()
	r.run(first)
	return nil
}

// join is what both directions share.
type join struct {
	idle  time.Duration
	began time.Time    // immutable
	last  atomic.Int64 // when anything moved, in nanoseconds since began: the clock may be set meanwhile
	over  atomic.Bool
}

func (j *join) stir() { j.last.Store(int64(time.Since(j.began))) }

// left is how long both sides may still be silent.
func (j *join) left() time.Duration {
	return j.idle - time.Since(j.began) + time.Duration(j.last.Load())
}

// relay is one direction. Owned by its goroutine.
type relay struct {
	*join
	sockets
	from, to exchange.Stream
	whole    bool
	moved    int64
}

var longAgo = time.Unix(1, 0)

// stop ends both directions.
func (r *relay) stop() {
	r.over.Store(true)
	for _, s := range [...]exchange.Stream{r.from, r.to} {
		s.SetReadDeadline(longAgo)
		s.SetWriteDeadline(longAgo)
	}
	r.shut()
}

// run copies to the end of from.
func (r *relay) run(first []byte) {
	err := r.copy(first)
	switch {
	case err == nil && !r.whole:
		if r.to.CloseWrite() != nil {
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
		ended, err := r.some()
		switch {
		case ended:
			return nil
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded), r.over.Load(), r.left() <= 0:
			return err
		}
	}
}

// pass writes p.
func (r *relay) pass(p []byte) error {
	err := r.write(p)
	if err == nil {
		r.moved += int64(len(p))
	}
	r.stir()
	return err
}

func giveBack(b *[bufferSize]byte) {
	poison.Bytes(b[:])
	poison.Put(&buffers, b)
}

// buffers hold bytes that are on their way.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
