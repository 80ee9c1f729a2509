package sink

import (
	"sync"
	"sync/atomic"
	"time"
)

// drops counts the lines that were dropped since the process began, by the name of their log. It outlives
// the logs, which are opened anew at each reload.
var drops struct {
	mu sync.Mutex // guards of
	of map[string]*atomic.Int64
}

func droppedOf(name string) *atomic.Int64 {
	drops.mu.Lock()
	defer drops.mu.Unlock()
	n := drops.of[name]
	if n == nil {
		if drops.of == nil {
			drops.of = map[string]*atomic.Int64{}
		}
		n = new(atomic.Int64)
		drops.of[name] = n
	}
	return n
}

// Dropped is how many lines of each log were dropped since the process began because its target did not
// take them fast enough. Logs are named as the configuration names them; those without a loss are left out.
func Dropped() map[string]int64 {
	drops.mu.Lock()
	defer drops.mu.Unlock()
	all := map[string]int64{}
	for name, n := range drops.of {
		if lines := n.Load(); lines > 0 {
			all[name] = lines
		}
	}
	return all
}

// alarmAfter is how long after the first dropped line its report comes, which then speaks for more than one.
const alarmAfter = 100 * time.Millisecond

// drop counts a line that does not fit, and sets the alarm. Under l.mu.
func (l *Log) drop() {
	l.lost++
	l.gap++
	l.dropped.Add(1)
	if !l.alarmSet && l.report != nil {
		l.alarmSet = true
		l.alarm.Reset(max(alarmAfter, time.Until(l.reported.Add(time.Second))))
	}
}

// reportLost reports what was dropped since the last report; the next drop sets the alarm again.
func (l *Log) reportLost() {
	if lost := l.unreported(); lost > 0 {
		l.report(l.name, lost, nil)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alarmSet = l.lost > 0
	if l.alarmSet {
		l.alarm.Reset(time.Second)
	}
}

// unreported takes the number of lines that no report has told of.
func (l *Log) unreported() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := l.lost
	l.lost, l.reported = 0, time.Now()
	return lost
}
