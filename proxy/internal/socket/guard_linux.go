package socket

import "time"

// patrol is how often the guard looks whether a task keeps its loop from going on.
const patrol = 4 * time.Millisecond

// watch is the guard: a task that keeps a loop for long loses it.
func (g *Loops) watch() {
	seen := make([]uint64, len(g.list))
	for quiet := 0; !g.ended.Load(); {
		time.Sleep(patrol)
		asleep := true
		for i, l := range g.list {
			s := l.state.Load()
			if s&1 == 1 && s == seen[i] && l.state.CompareAndSwap(s, s&^1) {
				l.handOver()
			}
			seen[i] = s
			asleep = asleep && l.sleeping.Load()
		}
		if quiet++; !asleep {
			quiet = 0
		}
		if quiet > 2 {
			g.rest()
			quiet = 0
		}
	}
}

// rest has the guard sleep until a loop wakes.
func (g *Loops) rest() {
	g.resting.Store(true)
	for _, l := range g.list {
		if !l.sleeping.Load() {
			g.resting.Store(false)
			return
		}
	}
	<-g.guard
}

// rouse wakes the guard.
func (g *Loops) rouse() {
	if g.resting.Load() && g.resting.CompareAndSwap(true, false) {
		select {
		case g.guard <- struct{}{}:
		default:
		}
	}
}
