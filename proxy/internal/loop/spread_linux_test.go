package loop

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/internal/sys"
)

func TestDuty(t *testing.T) {
	const w = dutyWindow
	var d duty
	d.began = 100 * w
	for i, c := range []struct {
		wait, now int64
		over      bool
		share     int64
	}{
		{w / 4, 100*w + w/2, false, 0},
		{w / 4, 101 * w, true, 250}, // half of it, and nothing before
		{0, 102 * w, true, 625},     // busy throughout
		{0, 103 * w, true, 812},
		{w, 104 * w, true, 406}, // not at all
		{w, 106 * w, true, 453},
		{3 * w / 4, 109 * w, true, 750}, // so long a window counts alone
		{99 * w, 209 * w, true, 10},     // it slept
	} {
		if over := d.add(c.wait, c.now); over != c.over || d.share.Load() != c.share {
			t.Errorf("%d: over %v, share %d", i, over, d.share.Load())
		}
	}
	if share := d.recent(211 * w); share != 10 {
		t.Error(share)
	}
	if share := d.recent(211*w + 1); share != 0 {
		t.Error("a loop that sleeps: ", share)
	}
}

// spreading is a group whose loops nobody runs.
func spreading(n int) *Group {
	g := &Group{}
	g.spread.inUse.Store(1)
	for i := range n {
		g.list = append(g.list, &Loop{group: g, index: i})
	}
	return g
}

// judge has loop i end a window with a share of its own, while the loops in use have these.
func (g *Group) judge(i int, now int64, shares ...int64) {
	for k, s := range shares {
		g.list[k].duty.share.Store(s)
		g.list[k].duty.ended.Store(now)
	}
	g.list[i].now = now
	g.list[i].reconsider()
}

func TestLoopsInUse(t *testing.T) {
	g := spreading(6)
	now := int64(0)
	for i, c := range []struct {
		loop   int
		pause  int64
		shares []int64
		want   int32
	}{
		{0, 1, []int64{200}, 1},
		{0, 1, []int64{201}, 2},
		{0, 1, []int64{50, 50}, 2}, // too soon
		{1, 1, []int64{50, 900}, 4},
		{1, 1, []int64{50, 900, 0, 0}, 6},
		{1, 1, []int64{900, 900, 900, 900, 900, 900}, 6},
		{0, spreadPause, []int64{83, 83, 83, 83, 84, 84}, 6}, // one fewer would be busy for a tenth of its time
		{0, 1, []int64{83, 83, 83, 83, 84, 83}, 5},
		{0, spreadPause - 1, []int64{0, 0, 0, 0, 0}, 5},
		{0, 1, []int64{0, 0, 0, 0, 0}, 4},
		{5, spreadPause, []int64{0, 0, 0, 0, 0, 900}, 4}, // it is not in use: it has no say
		{3, 0, []int64{80, 0, 0, 0}, 3},
		{0, spreadPause, []int64{80, 0, 0}, 2},
		{0, spreadPause, []int64{80, 19}, 1},
		{0, spreadPause, []int64{0}, 1},
	} {
		now += c.pause
		g.judge(c.loop, now, c.shares...)
		if n := g.spread.inUse.Load(); n != c.want {
			t.Fatalf("%d: %d in use, want %d", i, n, c.want)
		}
	}
}

// A loop that is too busy passes sockets on until another one in use watches nearly as many; who is not in use passes
// all on.
func TestDestinations(t *testing.T) {
	g := spreading(3)
	a, b, c := g.list[0], g.list[1], g.list[2]
	a.load.Store(20)
	g.judge(0, spreadPause, 900)
	for _, want := range []*Loop{b, b, b, b, b, b, a, a} {
		to := a.destination()
		if to != want {
			t.Fatalf("%d watched by the busy one, %d by the other: to loop %d", a.load.Load(), b.load.Load(), to.index)
		}
		a.load.Add(-1)
		to.load.Add(1)
	}
	a.load.Store(100) // it is balanced once it was, until its share is judged again
	if to := a.destination(); to != a {
		t.Error("to loop ", to.index)
	}
	if to := c.destination(); to != b {
		t.Error("out of use, to loop ", to.index)
	}
	if to := c.leastLoaded(3); to != c {
		t.Error("of all loops ", to.index)
	}
	a.load.Store(b.load.Load() + imbalance)
	if to := c.destination(); to != a {
		t.Error("out of use while the others have alike much, to loop ", to.index)
	}
}

// echoing is a socket whose job answers each byte, and parks it in between; it may move.
type echoing struct {
	fd      *Fd
	peer    int // the other end, blocking
	timeout time.Duration
	by      atomic.Int32 // the loop that served it last
	late    atomic.Int32 // so often its time was over
	over    atomic.Bool
	then    func(*Task) // called before it is parked
}

// echoParked begins in loop i.
func echoParked(t *testing.T, g *Group, i int, timeout time.Duration, then func(*Task)) *echoing {
	e := &echoing{timeout: timeout, then: then}
	e.fd, e.peer = watched(t, g)
	e.fd.MayMove(true)
	syscall.SetNonblock(e.peer, false)
	do(g, i, e.Run)
	ping(t, e.peer)
	return e
}

// parkedBy sends a byte once the socket is parked, and returns the loop that answers.
func (e *echoing) parkedBy(t *testing.T) int {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); e.fd.r.p.Load() != &parked; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it is never parked")
		}
	}
	ping(t, e.peer)
	return int(e.by.Load())
}

func (e *echoing) Run(t *Task) {
	for {
		if e.fd.TimedOut() {
			e.late.Add(1)
		}
		p := make([]byte, 8)
		switch n, errno := sys.Read(e.fd.N(), p); {
		case n > 0:
			e.by.Store(int32(t.loop.index))
			syscall.Write(int(e.fd.N()), p[:n])
		case errno != syscall.EAGAIN:
			e.fd.Close(t)
			return
		}
		if e.then != nil {
			e.then(t)
		}
		if ok, err := e.fd.Park(t, e, e.timeout, &e.over); ok || err != nil {
			return
		}
	}
}

func TestSocketsMoveToLoopsInUse(t *testing.T) {
	g := newGroup(t, 3)
	g.spread.inUse.Store(3)
	e := echoParked(t, g, 2, time.Hour, nil)
	for _, in := range []int32{1, 3, 1} {
		g.spread.inUse.Store(in)
		if by := e.parkedBy(t); by != 0 {
			t.Errorf("%d in use: served by loop %d", in, by)
		}
	}
	e = echoParked(t, g, 2, time.Hour, nil) // it is parked in a loop in use, whoever serves it first
	if by := e.parkedBy(t); by != 0 {
		t.Error("first parked in loop ", by)
	}
}

// One that moved is run when its time is over.
func TestMovedSocketsKeepTime(t *testing.T) {
	g := newGroup(t, 2)
	g.spread.inUse.Store(2)
	e := echoParked(t, g, 1, 200*time.Millisecond, nil)
	g.spread.inUse.Store(1)
	if by := e.parkedBy(t); by != 0 {
		t.Error("served by loop ", by)
	}
	for until := time.Now().Add(10 * time.Second); e.late.Load() < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("its time was never over")
		}
	}
	ping(t, e.peer)
}

// Sockets lose nothing while the loops in use change all the time, loops pass them on, and others nudge them.
func TestSocketsMoveWhileNudged(t *testing.T) {
	g := newGroup(t, 4)
	const sockets, pings = 20, 200
	passOn := func(task *Task) {
		if task.acquireLoop() {
			task.loop.overflow = g.list[rand.IntN(len(g.list))]
			task.releaseLoop()
		}
	}
	var list []*echoing
	for i := range sockets {
		list = append(list, echoParked(t, g, i, time.Hour, passOn))
	}
	over := make(chan struct{})
	var others, echoes sync.WaitGroup
	others.Go(func() {
		for i := int32(0); ; i++ {
			select {
			case <-over:
				return
			case <-time.After(50 * time.Microsecond):
				g.spread.inUse.Store(1 + i%4)
				list[int(i)%sockets].fd.Nudge()
			}
		}
	})
	var moves, nudges atomic.Int32
	until := time.Now().Add(10 * time.Second)
	for _, e := range list {
		echoes.Go(func() {
			for i := 0; i < pings || moves.Load() == 0 || nudges.Load() == 0; i++ {
				was := e.by.Load()
				if ping(t, e.peer); e.by.Load() != was {
					moves.Add(1)
				}
				if e.late.Load() > 0 {
					nudges.Store(1)
				}
				if time.Now().After(until) {
					return
				}
			}
		})
	}
	echoes.Wait()
	close(over)
	others.Wait()
	if moves.Load() == 0 || nudges.Load() == 0 {
		t.Errorf("%d moves, nudged: %v", moves.Load(), nudges.Load() > 0)
	}
}
