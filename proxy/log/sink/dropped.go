package sink

import "time"

// alarmAfter is how long after the first dropped line its report comes, which then speaks for more than one.
const alarmAfter = 100 * time.Millisecond

// drop counts a line that does not fit, and sets the alarm. Under l.mu.
func (l *Log) drop() {
	l.lost++
	l.gap++
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
