package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// streamContext is the context of one exchange: it ends with it, or when the client gives the stream up. Unlike the standard
// library's it costs nothing while nobody waits for its end, and who must be told at once needs no goroutine
// (exchange.Abortable). It belongs to one exchange, and is never used for another: others may keep it for longer.
type streamContext struct {
	mu    sync.Mutex
	err   error                // under mu
	done  chan struct{}        // under mu; nil: nobody has asked for it
	abort []exchange.Aborter   // under mu
	told  map[*func()]struct{} // under mu: functions of context.AfterFunc's
}

var (
	_ context.Context    = (*streamContext)(nil)
	_ exchange.Abortable = (*streamContext)(nil)
)

// Deadline is none.
func (*streamContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value has none.
func (*streamContext) Value(any) any { return nil }

// Err is why it ended; nil while it lasts.
func (l *streamContext) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Done is closed at its end.
func (l *streamContext) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = make(chan struct{})
		if l.err != nil {
			close(l.done)
		}
	}
	return l.done
}

// AfterFunc has f called at its end: package context asks for that in place of a goroutine.
func (l *streamContext) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		recovery.Go("ending what a stream began", f)
		return func() bool { return false }
	}
	if l.told == nil {
		l.told = map[*func()]struct{}{}
	}
	key := &f
	l.told[key] = struct{}{}
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, there := l.told[key]
		delete(l.told, key)
		return there
	}
}

// Watch is exchange.Abortable's.
func (l *streamContext) Watch(a exchange.Aborter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		a.Abort()
		return
	}
	l.abort = append(l.abort, a)
}

// Unwatch is exchange.Abortable's.
func (l *streamContext) Unwatch(a exchange.Aborter) (untouched bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.abort, a)
	if i >= 0 {
		l.abort = slices.Delete(l.abort, i, i+1)
	}
	return i >= 0 && l.err == nil
}

// end ends it. given: the client has given the stream up; else the exchange is over, and nobody is aborted.
func (l *streamContext) end(given bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = context.Canceled
	if l.done != nil {
		close(l.done)
	}
	if given {
		for _, a := range l.abort {
			recovery.Do("cutting off a member's connection", a.Abort)
		}
	}
	for f := range l.told {
		recovery.Go("ending what a stream began", *f)
	}
	l.told = nil
}
