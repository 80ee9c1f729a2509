package backend

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/recovery"
)

// counting has panics of a test go nowhere; the result waits for one.
func counting(t *testing.T) (wait func()) {
	t.Helper()
	recovery.SetLog(func(string) {})
	t.Cleanup(func() { recovery.SetLog(nil) })
	before := recovery.Panics()
	return func() {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); recovery.Panics() == before && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if n := recovery.Panics() - before; n != 1 {
			t.Errorf("%d panics were caught", n)
		}
	}
}

// A lookup that panics has failed, for all who wait for it; the next one may not.
func TestPanicInALookup(t *testing.T) {
	wait := counting(t)
	var b addressCache
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	set := balancer.NewWorkerSettings()
	q := &lookupCall{done: make(chan struct{})}
	b.pending = q
	recovery.Go("testing a lookup", func() { b.answer(badContext{}, q, "localhost", &set) })
	if <-q.done; !errors.Is(q.err, errUnanswered) { // what ask gives to who waits
		t.Errorf("%v %v", q.list, q.err)
	}
	wait()
	if list, err := b.ask(ctx, "localhost", &set); err != nil || len(list) == 0 {
		t.Errorf("the next one: %v %v", list, err)
	}
}

// badContext is a context that panics when it is asked anything.
type badContext struct{ context.Context }

// badConn is a connection that panics when it is closed.
type badConn struct{ net.Conn }

func (badConn) Close() error { panic("on purpose") }

// An idle connection whose end panics is gone all the same.
func TestPanicAtTheEndOfAnIdleConnection(t *testing.T) {
	wait := counting(t)
	closed := false
	closeAll([]*Conn{{net: badConn{}}, {net: goodConn{closed: &closed}}})
	wait()
	if !closed {
		t.Error("the next one stayed open")
	}
}

// goodConn is a connection that tells that it is closed.
type goodConn struct {
	net.Conn
	closed *bool
}

func (c goodConn) Close() error {
	*c.closed = true
	return nil
}
