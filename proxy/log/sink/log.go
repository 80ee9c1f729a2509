package sink

import (
	"sync"
	"time"

	"balancerd/proxy/recovery"
)

const (
	batch = 64 << 10 // bytes that are written at once without waiting for the delay
	bound = 4 << 20  // bytes that may wait for a target that does not take them

	// Lines without a delay are written each by itself, as httpd does, but no more than burst of them within one
	// window: what comes then waits for the next window's first line, or for the flusher when none comes.
	burst  = 4
	window = time.Millisecond
)

// target is where the bytes go. One goroutine at a time calls write and close.
type target interface {
	write(lines []byte) error
	close() error
	abort() // close is about to come: a write under way must end soon
}

// immediate is a target that can take lines at once, without holding up whoever brings them.
type immediate interface {
	// now writes the lines or, when that would mean to wait, nothing: then write is to be called.
	now(lines []byte) (taken bool, err error)
}

// Log is one open target. Its methods may be used by many goroutines, after Close too.
type Log struct {
	// immutable
	name    string
	delay   time.Duration
	report  func(name string, lost int64, err error)
	resumed func(name string, lost int64)
	to      target
	now     immediate // to, when lines are to be written at once
	syslog  bool
	timer   *time.Timer
	alarm   *time.Timer // reports lines that are dropped while the target takes none
	born    time.Time

	mu           sync.Mutex    // guards what follows; held for a copy, never for I/O
	buf          []byte        // lines that wait
	lost         int64         // lines dropped since the last report
	gap          int64         // lines dropped since the target took some
	reported     time.Time     // when the last report was
	alarmSet     bool          // alarm is set, or at work
	flusherWoken bool          // the flusher was told to come
	windowBegan  time.Duration // when the last window began, since born
	windowLines  int           // in that window
	closed       bool

	out   sync.Mutex // held while the target is written; guards what follows
	spare []byte     // storage for the next batch
	held  []byte     // a batch that now did not take
}

func newLog(name string, to target, delay time.Duration, report func(string, int64, error), resumed func(string, int64)) *Log {
	l := &Log{name: name, to: to, delay: delay, report: report, resumed: resumed, born: time.Now(), windowBegan: -window}
	if delay == 0 {
		l.now, _ = to.(immediate)
		l.delay = usualDelay
	}
	l.timer = recovery.AfterFunc(time.Hour, "writing a log", l.Flush)
	l.timer.Stop()
	l.alarm = recovery.AfterFunc(time.Hour, "telling of lines that were dropped", l.reportLost)
	l.alarm.Stop()
	return l
}

// Name is the target as the configuration wrote it.
func (l *Log) Name() string { return l.name }

// Syslog reports whether the target is the system's log, which stamps lines itself.
func (l *Log) Syslog() bool { return l.syslog }

// Append hands a whole line over, its end included. A line without a delay is written before Append
// returns, or by somebody who is writing just then, or, when there are many, within milliseconds. It
// never waits for a target that is stuck: when 4 MiB are waiting already the line is dropped, which is
// reported once a second while it happens, and counted.
func (l *Log) Append(line []byte) { l.append(nil, line) }

func (l *Log) append(head, line []byte) {
	if l.keep(head, line) {
		l.push()
	}
}

// keep puts a line among those that wait, and reports whether to write them now.
func (l *Log) keep(head, line []byte) (now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if len(l.buf)+len(head)+len(line) > bound {
		l.drop()
		return false
	}
	first := len(l.buf) == 0
	l.buf = append(append(l.buf, head...), line...)
	if l.now != nil {
		return !l.crowded()
	}
	switch {
	case len(l.buf) >= batch && !l.flusherWoken:
		l.flusherWoken = true
		l.timer.Reset(0)
	case first:
		l.timer.Reset(l.delay)
	}
	return false
}

// crowded reports whether the line may wait for others. Under l.mu.
func (l *Log) crowded() bool {
	now := time.Since(l.born)
	if now-l.windowBegan >= window {
		l.windowBegan, l.windowLines = now, 0
	}
	l.windowLines++
	if l.windowLines <= burst {
		return false
	}
	if !l.flusherWoken { // once for all that wait: to wake the flusher costs more than a line
		l.flusherWoken = true
		l.timer.Reset(l.delay)
	}
	return true
}

// pushes bounds how often one writer takes what others brought meanwhile.
const pushes = 4

// push writes what waits, unless somebody is at it: whoever lets go of l.out looks again.
func (l *Log) push() {
	for range pushes {
		if !l.out.TryLock() {
			return
		}
		if !l.pushed() { // the flusher has it
			return
		}
		if !l.waiting() {
			return
		}
	}
	l.timer.Reset(0)
}

// pushed is flushNow, after which somebody else may write. Under l.out.
func (l *Log) pushed() bool {
	defer l.out.Unlock()
	return l.held == nil && l.flushNow()
}

// flushNow is flush as far as the target takes lines at once. Under l.out.
func (l *Log) flushNow() bool {
	lines, gap := l.take()
	if len(lines) == 0 {
		l.reuse(lines)
		return true
	}
	taken, err := l.now.now(lines)
	if !taken {
		l.held = lines
		l.reopen(gap)
		l.timer.Reset(0)
		return false
	}
	l.reuse(lines)
	l.reportWrite(gap, err)
	return true
}

func (l *Log) waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buf) > 0
}

// Flush writes what waits and returns when the target has it.
func (l *Log) Flush() {
	l.flushed()
	if l.now != nil && l.waiting() { // who brought it found the lock taken
		l.timer.Reset(0)
	}
}

// flushed is flush by itself.
func (l *Log) flushed() {
	l.out.Lock()
	defer l.out.Unlock()
	l.flush()
}

// flush waits for the target as long as it takes. Under l.out.
func (l *Log) flush() {
	if held := l.held; held != nil {
		l.held = nil
		l.reportWrite(0, l.to.write(held))
	}
	lines, gap := l.take()
	var err error
	if len(lines) > 0 {
		err = l.to.write(lines)
	}
	l.reuse(lines)
	l.reportWrite(gap, err)
}

// take is what waits, and how many lines were dropped before it.
func (l *Log) take() (lines []byte, gap int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines = l.buf
	l.buf, l.spare, l.flusherWoken = l.spare, nil, false
	if len(lines) > 0 {
		gap, l.gap = l.gap, 0
	}
	return lines, gap
}

// reopen puts a gap back that take took: the lines behind it were not written.
func (l *Log) reopen(gap int64) {
	if gap > 0 {
		l.mu.Lock()
		l.gap += gap
		l.mu.Unlock()
	}
}

// reuse keeps the storage for the next batch. Under l.out.
func (l *Log) reuse(lines []byte) {
	if cap(lines) <= 2*batch {
		l.spare = lines[:0]
	}
}

// reportWrite reports a write that failed, at most once a second, or that lines are taken again behind a gap.
func (l *Log) reportWrite(gap int64, err error) {
	switch {
	case err != nil:
		l.reopen(gap)
		if n, due := l.reportDue(); due && l.report != nil {
			l.report(l.name, n, err)
		}
	case gap > 0 && l.resumed != nil:
		l.resumed(l.name, gap)
	}
}

// reportDue takes the number of lines that no report has told of, if a second has passed since the last one.
func (l *Log) reportDue() (lost int64, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.reported) < time.Second {
		return 0, false
	}
	lost = l.lost
	l.lost, l.reported = 0, now
	return lost, true
}

// Close writes what waits and lets the target go. Lines that come later are dropped.
func (l *Log) Close() error {
	l.to.abort()
	l.out.Lock()
	defer l.out.Unlock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	l.timer.Stop()
	l.flush()
	l.alarm.Stop()
	if lost := l.unreported(); lost > 0 && l.report != nil {
		l.report(l.name, lost, nil)
	}
	return l.to.close()
}
