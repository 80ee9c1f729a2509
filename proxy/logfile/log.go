package logfile

import (
	"sync"
	"time"
)

const (
	batch = 64 << 10 // bytes that are written at once without waiting for the delay
	bound = 4 << 20  // bytes that may wait for a target that does not take them
)

// target is where the bytes go. One goroutine at a time calls write and close.
type target interface {
	write(lines []byte) error
	close() error
	hurry() // close is about to come: a write under way must end soon
}

// Log is one open target. Its methods may be used by many goroutines, after Close too.
type Log struct {
	// immutable
	name   string
	delay  time.Duration
	report func(name string, lost int64, err error)
	to     target
	syslog bool
	timer  *time.Timer

	mu     sync.Mutex // guards what follows; held for a copy, never for I/O
	buf    []byte     // lines that wait
	spare  []byte     // storage for the next batch
	lost   int64      // lines dropped since the last report
	told   time.Time  // when the last report was
	urged  bool       // the flusher was told not to wait any longer
	closed bool

	out sync.Mutex // held while the target is written
}

func newLog(name string, to target, delay time.Duration, report func(string, int64, error)) *Log {
	l := &Log{name: name, to: to, delay: delay, report: report}
	l.timer = time.AfterFunc(time.Hour, l.Flush)
	l.timer.Stop()
	return l
}

// Name is the target as the configuration wrote it.
func (l *Log) Name() string { return l.name }

// Syslog tells whether the target is the system's log, which stamps lines itself.
func (l *Log) Syslog() bool { return l.syslog }

// Append hands a whole line over, its end included. It never waits for the target: when 4 MiB
// are waiting already the line is dropped, and the loss reported once the target moves again.
func (l *Log) Append(line []byte) { l.append(nil, line) }

func (l *Log) append(head, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if len(l.buf)+len(head)+len(line) > bound {
		l.lost++
		return
	}
	first := len(l.buf) == 0
	l.buf = append(append(l.buf, head...), line...)
	switch {
	case len(l.buf) >= batch && !l.urged:
		l.urged = true
		l.timer.Reset(0)
	case first:
		l.timer.Reset(l.delay)
	}
}

// Flush writes what waits and returns when the target has it.
func (l *Log) Flush() {
	l.out.Lock()
	defer l.out.Unlock()
	l.flush()
}

func (l *Log) flush() {
	lines := l.take()
	var err error
	if len(lines) > 0 {
		err = l.to.write(lines)
	}
	if lost, due := l.put(lines, err); due && l.report != nil {
		l.report(l.name, lost, err)
	}
}

// take is what waits.
func (l *Log) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.buf
	l.buf, l.spare, l.urged = l.spare, nil, false
	return lines
}

// put keeps the storage for the next batch, and says whether what went wrong is to be reported: once
// a second is enough.
func (l *Log) put(lines []byte, err error) (lost int64, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cap(lines) <= 2*batch {
		l.spare = lines[:0]
	}
	if now := time.Now(); (err != nil || l.lost > 0) && now.Sub(l.told) >= time.Second {
		lost, due = l.lost, true
		l.lost, l.told = 0, now
	}
	return lost, due
}

// Close writes what waits and lets the target go. Lines that come later are dropped.
func (l *Log) Close() error {
	l.to.hurry()
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
	return l.to.close()
}
