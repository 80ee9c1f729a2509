package backend

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/backendtest"
)

// plainTLS is TLS that does nothing.
func plainTLS() *TLS {
	return &TLS{Client: func(_ context.Context, c net.Conn, _ string, _ ...string) (net.Conn, error) {
		return struct{ net.Conn }{c}, nil
	}}
}

// use has a worker's connection used once: it is the youngest then.
func use(t *testing.T, w *balancer.Worker, call *Call) *Conn {
	t.Helper()
	c := acquire(t, w, call, false)
	c.Release(true)
	return c
}

// closed waits until the member sees an end.
func closed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !IsTimeout(err)
}

// TestTheOldestAnywhereGoes: of all pools' idle connections the one that was not used for longest.
func TestTheOldestAnywhereGoes(t *testing.T) {
	a := account{}
	var workers []*balancer.Worker
	for range 4 {
		m := listen(t, "tcp", "127.0.0.1:0")
		w := backendtest.Worker(t, "http://"+m.Addr().String(), nil)
		workers = append(workers, w)
		first, second := acquire(t, w, &Call{}, false), acquire(t, w, &Call{}, false)
		first.Release(true)
		second.Release(true)
		a.enter(&place{k: poolOf(w), known: new(atomic.Bool)})
	}
	busy := acquire(t, workers[2], &Call{}, false) // in use: nobody takes it
	use(t, workers[0], &Call{})
	left := func() (s string) {
		for _, w := range workers {
			s += strconv.Itoa(Idle(w))
		}
		return s
	}
	for _, want := range []string{"1212", "1112", "1012", "1002", "1001", "1000", "0000"} {
		if !a.evict() {
			t.Fatalf("nothing to evict before %s", want)
		}
		if got := left(); got != want {
			t.Errorf("left %s, want %s", got, want)
		}
	}
	if a.evict() || len(a.byAge) != 0 {
		t.Errorf("something left of %d pools", len(a.byAge))
	}
	busy.Release(false)
}

// TestEvictingAmongManyPools: pools that are used again and again, by many at a time, while others want
// descriptors, keep their books in order.
func TestEvictingAmongManyPools(t *testing.T) {
	var workers []*balancer.Worker
	for range 8 {
		m := listen(t, "tcp", "127.0.0.1:0")
		workers = append(workers, backendtest.Worker(t, "http://"+m.Addr().String(), nil))
	}
	var all sync.WaitGroup
	for k := range 4 {
		all.Go(func() {
			for i := range 200 {
				x, _ := newExchange()
				c, err := Acquire(context.Background(), workers[(i+k)%8], x, &Call{}, false)
				if err != nil {
					t.Error(err)
					return
				}
				c.Release(i%7 != 0)
			}
		})
		all.Go(func() {
			for range 200 {
				idles.evict()
			}
		})
	}
	all.Wait()
	for idles.evict() {
	}
	for i, w := range workers {
		p := poolOf(w)
		if p.idle != 0 || p.open != 0 {
			t.Errorf("pool %d: %d idle, %d open", i, p.idle, p.open)
		}
	}
	use(t, workers[0], &Call{}) // an account that had forgotten it knows it again
	if !idles.evict() {
		t.Error("a pool was forgotten")
	}
}

// few leaves the process with no more descriptors than it has now and n more.
func few(t *testing.T, n int) {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Skip(err)
	}
	next, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(next)
	less := l
	less.Cur = uint64(next + n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &less); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l) })
}

// TestNoDescriptorIsLeft: a connection that is needed takes the place of one that idles, elsewhere; when
// none does the member is not to blame.
func TestNoDescriptorIsLeft(t *testing.T) {
	for idles.evict() {
	}
	room.Store(math.MaxInt64)
	defer room.Store(0)
	of := listen(t, "tcp", "127.0.0.1:0")
	other, err := net.Listen("tcp", "127.0.0.1:0") // whose ends would take descriptors, too: nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	idle, wanted := backendtest.Worker(t, "http://"+of.Addr().String(), nil), backendtest.Worker(t, "http://"+other.Addr().String(), nil)
	a, b := acquire(t, idle, &Call{}, false), acquire(t, idle, &Call{}, false)
	a.Release(true)
	b.Release(true)
	use(t, wanted, &Call{})
	of.conn(t, 1) // the member's ends are here
	few(t, 0)
	one, two := acquire(t, wanted, &Call{}, true), acquire(t, wanted, &Call{}, true)
	defer one.Release(false)
	defer two.Release(false)
	if Idle(idle) != 0 || Idle(wanted) != 1 {
		t.Errorf("%d and %d idle, want 0 and 1: the oldest", Idle(idle), Idle(wanted))
	}
	for idles.evict() {
	}
	x, _ := newExchange()
	var kept []*Conn
	for err = nil; err == nil && len(kept) < 10; {
		var c *Conn
		if c, err = Acquire(context.Background(), wanted, x, &Call{}, true); err == nil {
			kept = append(kept, c)
		}
	}
	if f, ok := err.(*Failure); !ok || f.Kind != Starved {
		t.Errorf("%d more, then %v", len(kept), err)
	}
	named := backendtest.Worker(t, "http://"+"a-name.invalid", nil)
	if _, err := Acquire(context.Background(), named, x, &Call{}, true); err.(*Failure).Kind != Starved {
		t.Errorf("a name that can't be looked up for want of a descriptor: %v", err)
	}
	for _, c := range kept {
		c.Release(false)
	}
}

// TestRoom: beyond the room for connections a batch of idle ones goes, and without any nobody is let in.
func TestRoom(t *testing.T) {
	for idles.evict() {
	}
	room.Store(100)
	defer room.Store(0)
	w := backendtest.Worker(t, "http://"+listen(t, "tcp", "127.0.0.1:0").Addr().String(), nil)
	var all []*Conn
	room.Store(math.MaxInt64)
	for range 10 {
		all = append(all, acquire(t, w, &Call{}, true))
	}
	for _, c := range all {
		c.Release(true)
	}
	room.Store(100)
	for _, c := range []struct {
		descriptor uintptr
		room       bool
		idle       int
	}{{99, true, 10}, {100, true, 2}, {5000, true, 0}, {100, false, 0}, {99, true, 0}} {
		if got := RoomFor(c.descriptor); got != c.room || Idle(w) != c.idle {
			t.Errorf("%d: %v, %d idle, want %v, %d", c.descriptor, got, Idle(w), c.room, c.idle)
		}
	}
	room.Store(1)
	acquire(t, w, &Call{}, true).Release(true)
	acquire(t, w, &Call{}, true).Release(true)
	if n := Idle(w); n != 1 {
		t.Errorf("%d idle, want 1: a new connection is beyond the room", n)
	}
	room.Store(0)
	var l syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	if n := roomOf(); n != int64(l.Cur)-int64(l.Cur)/4 {
		t.Errorf("room %d of %d", n, l.Cur)
	}
}

// TestSweep: what a sweep closes, and what it does not.
func TestSweep(t *testing.T) {
	secure := plainTLS()
	for _, c := range []struct {
		name string
		ttl  time.Duration
		tls  bool
		do   func(p *pool, far net.Conn)
		age  time.Duration
		left int
	}{
		{"idles", 0, false, nil, MaxIdle - time.Second, 1},
		{"too old", 0, false, nil, MaxIdle + time.Second, 0},
		{"within ttl=", 7 * time.Second, false, nil, 6 * time.Second, 1},
		{"beyond ttl=", 7 * time.Second, false, nil, 8 * time.Second, 0},
		{"a ttl= beyond the usual age", time.Hour, false, nil, MaxIdle + time.Second, 1},
		{"closed", 0, false, func(_ *pool, far net.Conn) { far.Close() }, 0, 0},
		{"written to", 0, false, func(_ *pool, far net.Conn) { io.WriteString(far, "HTTP/1.1 408 \r\n\r\n") }, 0, 0},
		{"of TLS, idles", 0, true, nil, 0, 1},
		{"of TLS, closed", 0, true, func(_ *pool, far net.Conn) { far.Close() }, 0, 0},
		{"of TLS that is over", 0, true, func(*pool, net.Conn) { secure.Retire() }, 0, 0},
		{"moved", 0, false, func(p *pool, _ net.Conn) { p.addrs.last.Store(&resolution{}) }, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := listen(t, "tcp", "127.0.0.1:0")
			url := "http://"
			if c.tls {
				url = "https://"
			}
			w := backendtest.Worker(t, url+m.Addr().String(), func(s *balancer.WorkerSettings) { s.TTL = c.ttl })
			p := poolOf(w)
			used, idle := acquire(t, w, &Call{TLS: secure}, false), acquire(t, w, &Call{TLS: secure}, false)
			far := m.conn(t, 1)
			idle.Release(true)
			if c.do != nil {
				c.do(p, far)
				time.Sleep(20 * time.Millisecond)
			}
			if left := p.Sweep(Clock() + int64(c.age)); left != (c.left > 0) || Idle(w) != c.left || p.open != c.left+1 {
				t.Errorf("left %v, %d idle, %d open", left, Idle(w), p.open)
			}
			if c.left == 0 && c.name != "closed" && c.name != "of TLS, closed" && !closed(far) {
				t.Error("the member sees no end")
			}
			used.Release(true)
			if over := c.name == "of TLS that is over"; (Idle(w) == c.left) != over {
				t.Errorf("%d idle after a release", Idle(w))
			}
		})
	}
}

// TestNobodyAsks: the sweep comes by itself, and when all is gone there is none.
func TestNobodyAsks(t *testing.T) {
	for idles.evict() {
	}
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), nil)
	use(t, w, &Call{})
	m.conn(t, 0).Close()
	for end := time.Now().Add(20 * time.Second); Idle(w) > 0 || idles.awake.Load(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d idle, sweeping %v", Idle(w), idles.awake.Load())
		}
	}
	use(t, w, &Call{})
	if !idles.awake.Load() {
		t.Error("nobody sweeps")
	}
}

// swept is a Keeper that tells when it was asked first; nothing is left then.
type swept struct{ at chan time.Time }

func (s swept) Oldest() (int64, bool) { return 0, false }
func (s swept) DropOldest() bool      { return false }
func (s swept) Sweep(int64) bool {
	select {
	case s.at <- time.Now():
	default:
	}
	return false
}

// TestSoonBeforeTheFirstTick: the sweeper that just begins looks at once, for whoever asked before it had a ticker.
// The best of five counts: without that, none is quicker than the interval.
func TestSoonBeforeTheFirstTick(t *testing.T) {
	best := sweepEvery
	for try := 0; try < 5 && best > sweepEvery/2; try++ {
		a, k := account{}, swept{make(chan time.Time, 1)}
		a.enter(&place{k: k, known: new(atomic.Bool)})
		a.awake.Store(true)
		a.soon()
		began := time.Now()
		var running sync.WaitGroup
		running.Go(a.run)
		best = min(best, (<-k.at).Sub(began))
		a.soon() // the next look ends it: nobody keeps anything
		running.Wait()
		if a.awake.Load() || a.known() != 0 {
			t.Errorf("awake %v, %d known", a.awake.Load(), a.known())
		}
	}
	if best > sweepEvery/2 {
		t.Errorf("swept after %v", best)
	}
}

// TestKindsAreBounded: each name in TLS is a kind of its own; the one that was used longest ago makes room.
func TestKindsAreBounded(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "https://"+m.Addr().String(), nil)
	secure := plainTLS()
	name := func(i int) *Call { return &Call{TLS: secure, Name: fmt.Sprint("h", i)} }
	first := use(t, w, name(0))
	for i := range 3 * MaxKinds {
		use(t, w, name(i+1))
		if c := use(t, w, name(0)); c != first {
			t.Fatal("the one that is always used has gone")
		}
	}
	if n := Idle(w); n != MaxKinds {
		t.Errorf("%d idle", n)
	}
	if c := use(t, w, name(3*MaxKinds)); !c.Reused() {
		t.Error("the last one has gone")
	}
	if c := use(t, w, name(1)); c.Reused() {
		t.Error("the first one has not gone")
	}
	if p := poolOf(w); p.open != p.idle {
		t.Errorf("%d open, %d idle", p.open, p.idle)
	}
}

// TestKeepingAllocatesNothing: to take a connection and give it back.
func TestKeepingAllocatesNothing(t *testing.T) {
	w := backendtest.Worker(t, "http://"+listen(t, "tcp", "127.0.0.1:0").Addr().String(), nil)
	use(t, w, &Call{})
	x, _ := newExchange()
	call := &Call{}
	ctx := context.Background()
	if n := testing.AllocsPerRun(200, func() {
		c, err := Acquire(ctx, w, x, call, false)
		if err != nil {
			t.Fatal(err)
		}
		c.Release(true)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkKeep is what it costs to take a connection and give it back, alone and by several at a time.
func BenchmarkKeep(b *testing.B) {
	m := listen(b, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(b, "http://"+m.Addr().String(), nil)
	call := &Call{}
	b.ReportAllocs()
	x, _ := newExchange()
	for b.Loop() {
		c, err := Acquire(b.Context(), w, x, call, false)
		if err != nil {
			b.Fatal(err)
		}
		c.began = x.Start // or it is looked at each time
		c.Release(true)
	}
}
