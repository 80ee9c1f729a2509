package loop

import (
	"sync/atomic"
	"time"
)

// This file decides how many of a group's loops serve the sockets that may move (Fd.MayMove): few of them while there
// is little to do. One loop that finds four events when it wakes costs less for each than two that wake for two, and
// what it touches stays in one processor's caches. But what comes in a burst waits longer for its turn in one loop, so
// with more to do all loops serve.
//
//	                  busy for more than muchShare
//	1 loop in use ────────────────────────────────────> 2, 4, … all
//	     ^                                                │
//	     └──── one fewer would not be busy for lowShare ──┘
//
// A loop that is not in use passes each such socket on when an event comes for it; one that is too busy does so until
// another one in use watches nearly as many. Listeners, tunnels and HTTP/2 connections stay where they are, in any
// loop.

// spread is how many loops are in use: the first ones of the group.
type spread struct {
	inUse   atomic.Int32
	changed atomic.Int64 // when inUse did last, by the group's clock
}

const (
	dutyWindow  = int64(16 * time.Millisecond) // a loop's time is judged so often
	spreadPause = 8 * dutyWindow               // no loop leaves use sooner after the number has changed

	wholeShare = 1000            // of a loop that never waits
	muchShare  = wholeShare / 5  // who is busy for more wants others beside it
	lowShare   = wholeShare / 10 // if one loop fewer would be busy for no more, one leaves use
)

// duty is the share of its time for which a loop is busy: does not wait for events. Owned by the loop, but the
// atomics.
type duty struct {
	began  int64 // when the window did, by the group's clock
	waited int64 // so long since then

	share atomic.Int64 // at the end of the last window, of wholeShare: the mean of that window's and of what it was before
	ended atomic.Int64 // when that was
}

// add counts a wait that is just over. It reports whether a window is.
func (d *duty) add(wait, now int64) bool {
	d.waited += wait
	length := now - d.began
	if length < dutyWindow {
		return false
	}
	share := wholeShare * (length - min(d.waited, length)) / length
	if length <= 2*dutyWindow {
		share = (share + d.share.Load()) / 2
	}
	d.share.Store(share)
	d.ended.Store(now)
	d.began, d.waited = now, 0
	return true
}

// recent is the share as of now: a loop that has ended no window of late sleeps.
func (d *duty) recent(now int64) int64 {
	if now-d.ended.Load() > 2*dutyWindow {
		return 0
	}
	return d.share.Load()
}

// reconsider is what a loop does about its share at the end of a window.
func (l *Loop) reconsider() {
	n := int(l.group.spread.inUse.Load())
	l.overflow = nil
	switch {
	case l.index >= n:
	case l.duty.share.Load() > muchShare:
		n = l.group.useMore(n, l.now)
		if o := l.leastLoaded(n); o != l {
			l.overflow = o
		}
	case n > 1:
		l.group.useFewer(n, l.now)
	}
}

// useMore brings loops into use, and returns how many are.
func (g *Group) useMore(n int, now int64) int {
	more := min(2*n, len(g.list))
	if more == n || !g.spread.inUse.CompareAndSwap(int32(n), int32(more)) {
		return n
	}
	g.spread.changed.Store(now)
	return more
}

// useFewer has one loop leave use if the others have time for what it does.
func (g *Group) useFewer(n int, now int64) {
	if now-g.spread.changed.Load() < spreadPause {
		return
	}
	sum := int64(0)
	for _, l := range g.list[:n] {
		sum += l.duty.recent(now)
	}
	if sum < lowShare*int64(n-1) && g.spread.inUse.CompareAndSwap(int32(n), int32(n-1)) {
		g.spread.changed.Store(now)
	}
}

// destination is the loop that is to serve a socket of l's for which an event has come.
func (l *Loop) destination() *Loop {
	if n := int(l.group.spread.inUse.Load()); l.index >= n {
		return l.leastLoaded(n)
	}
	if l.overflow != nil && l.overflow.load.Load()+imbalance < l.load.Load() {
		return l.overflow
	}
	l.overflow = nil
	return l
}

// imbalance is how many more sockets than another one a loop may watch.
const imbalance = 8

// leastLoaded is the one of the first n loops that is to watch one more socket: l, if it is one of them, unless
// others watch fewer by more than imbalance.
func (l *Loop) leastLoaded(n int) *Loop {
	best := l
	if l.index >= n {
		best = l.group.list[0]
	}
	least := best.load.Load() - imbalance
	for _, o := range l.group.list[:n] {
		if m := o.load.Load(); m < least {
			best, least = o, m
		}
	}
	return best
}

// passOn has another loop watch a socket of l's that was parked, and run its job, if that is to be so. false: l is to
// run it.
func (l *Loop) passOn(f *Fd) bool {
	to := l.destination()
	if to == l {
		return false
	}
	l.wheel.unset(&f.timer)
	l.unwatch(f)
	if f.watchBy(to, f.w.awaited()) != nil { // no loop watches it now; its job will ask for that again
		return false
	}
	to.enqueue(message{kind: msgSpawn, job: f.job})
	return true
}
