package loop

import "time"

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
		asleep := true
		for i, l := range g.list {
			word := l.owner.word.Load()
			if word == before[i] && word&revocable != 0 && audits[i].passes(l, word) && l.owner.revoke(word) {
				audits[i].report()
				l.start()
			}
			before[i] = word
			asleep = asleep && l.sleeping.Load()
		}
		if quiet++; !asleep {
			quiet = 0
		}
		if quiet > quietRounds {
			g.pauseWatchdog()
			quiet = 0
		}
	}
}

// pauseWatchdog waits until a loop wakes.
func (g *Group) pauseWatchdog() {
	g.watchdogPaused.Store(true)
	for _, l := range g.list {
		if !l.sleeping.Load() {
			g.watchdogPaused.Store(false)
			return
		}
	}
	<-g.resumeWatchdog
}

// wakeWatchdog ends pauseWatchdog.
func (g *Group) wakeWatchdog() {
	if g.watchdogPaused.Load() && g.watchdogPaused.CompareAndSwap(true, false) {
		select {
		case g.resumeWatchdog <- struct{}{}:
		default:
		}
	}
}
