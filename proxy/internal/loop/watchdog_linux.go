package loop

import (
	"sync/atomic"
	"time"

	"balancerd/proxy/internal/sys"
)

// interval is how often the watchdog looks at the loops.
const interval = 4 * time.Millisecond

// quietRounds is after how many rounds in which all loops slept the watchdog sleeps, too.
const quietRounds = 2

// watchdog revokes a loop whose task has been in its job since the last round.
func (g *Group) watchdog() {
	before := make([]uint64, len(g.list))
	audits := make([]audit, len(g.list))
	for quiet := 0; !g.closed.Load(); {
		time.Sleep(interval)
		for i, l := range g.list {
			word := l.owner.word.Load()
			if word == before[i] && word&revocable != 0 && audits[i].passes(l, word) && l.owner.revoke(word) {
				audits[i].report()
				l.start()
			}
			before[i] = word
		}
		if quiet++; !allSleep(g.list) {
			quiet = 0
		}
		if quiet > quietRounds {
			g.watch.wait(g.list)
			quiet = 0
		}
	}
}

// allSleep reports whether all loops sleep.
func allSleep(list []*Loop) bool {
	for _, l := range list {
		if !l.sleeping.Load() {
			return false
		}
	}
	return true
}

// watch is what the watchdog waits for while all loops sleep: one that has been awake for an interval. It is a
// timer of the kernel's, which the loop that wakes first sets and the one that sleeps last stops: a loop that has
// little to do never wakes the watchdog. Who sleeps while its tasks wait, for a member most often, will wake soon and
// leaves the timer set, as long as that has not proved wrong of late.
//
//	            wakes                     interval over
//	stopped ─────────────> set ──────────────────────────────> looking: rounds of the watchdog
//	   ^ ^                  │                                       │
//	   │ └─── sleeps ───────┘                                       │ all sleep
//	   └────────────────────────────────────────────────────────────┘
type watch struct {
	state atomic.Uint32
	vain  atomic.Int32 // so often whoever sleeps stops the timer in any case
	timer *sys.Timer
}

const (
	watchLooking uint32 = iota
	watchStopped
	watchSet
)

// lesson is the value of vain after the watchdog was woken in vain: to wake it costs some 50 times as much as to
// stop the timer.
const lesson = 64

func (w *watch) open() (err error) {
	w.timer, err = sys.NewTimer()
	return err
}

// close ends the watchdog's wait, now and later. A loop that is just about to set the timer does so in vain.
func (w *watch) close() {
	w.state.Store(watchLooking)
	w.timer.Close()
}

// wakes is called by a loop that has woken.
func (w *watch) wakes() {
	if w.state.Load() == watchStopped && w.state.CompareAndSwap(watchStopped, watchSet) {
		w.timer.Set(interval)
	}
}

// sleeps is called by a loop that is about to sleep; soon says that tasks of it wait. Who sees the state before it
// is changed here does not set the timer, so the loops are looked at once more behind that.
func (w *watch) sleeps(list []*Loop, soon bool) {
	if w.state.Load() != watchSet || !allSleep(list) || soon && w.vain.Load() <= 0 {
		return
	}
	if soon {
		w.vain.Add(-1)
	}
	w.timer.Set(0)
	if w.state.CompareAndSwap(watchSet, watchStopped) && !allSleep(list) {
		w.wakes()
	}
}

// wait returns when a loop has been awake for an interval, or the group is closed.
func (w *watch) wait(list []*Loop) {
	for over := false; !over; {
		w.state.Store(watchStopped)
		if !allSleep(list) {
			w.wakes()
		}
		over = w.timer.Wait() != nil // it is closed
		w.state.Store(watchLooking)
		if !allSleep(list) {
			return
		}
		w.vain.Store(lesson)
	}
}
