package loop

import (
	"syscall"
	"unsafe"
)

// message is what other goroutines ask of a loop.
type message struct {
	kind     messageKind
	fd       *Fd
	gen      uint32 // of fd when it was sent: what is meant for an earlier socket of that number is dropped
	until    int64  // msgPark
	task     *Task
	timedOut bool // msgWake
	job      Job  // msgSpawn
}

type messageKind uint8

const (
	msgPark    messageKind = iota // fd was parked by a task of another loop, or by a detached one
	msgNudge                      // run the job of fd, if it is parked, as if its time were over
	msgUnpark                     // fd is closed: forget its timer
	msgWake                       // task's wait is over
	msgReadopt                    // task, which was detached, has yielded to wait
	msgSpawn                      // begin job
	msgKick                       // run the job of fd, which was parked and is not any more
)

// enqueue asks something of the loop, and wakes it.
func (l *Loop) enqueue(m message) {
	l.mu.Lock()
	l.queue = append(l.queue, m)
	first := !l.woken
	l.woken = true
	l.mu.Unlock()
	if first {
		l.wake()
	}
}

// enqueueSoon is enqueue without a wake-up unless the loop sleeps: it looks after its next events.
func (l *Loop) enqueueSoon(m message) {
	l.mu.Lock()
	l.queue = append(l.queue, m)
	l.mu.Unlock()
	if l.sleeping.Load() {
		l.wake()
	}
}

// queued reports whether the queue holds messages.
func (l *Loop) queued() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) > 0
}

// wake ends the loop's wait for events. Nothing is written once the loop is closed: its eventfd's number may be another
// connection's, or file's, by then.
func (l *Loop) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	one := uint64(1)
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(l.wakeFD), uintptr(unsafe.Pointer(&one)), 8)
}

// drainQueue handles the messages in the order they came. false: the loop is another goroutine's, which goes
// on behind the last one that was handled.
func (l *Loop) drainQueue() bool {
	l.mu.Lock()
	l.batch = append(l.batch, l.queue...)
	clear(l.queue)
	l.queue, l.woken = l.queue[:0], false
	l.mu.Unlock()
	for l.handled < len(l.batch) {
		m := l.batch[l.handled]
		l.handled++
		if !l.handle(m) {
			return false
		}
	}
	clear(l.batch)
	l.batch, l.handled = l.batch[:0], 0
	return true
}

// handle does what a message asks. false: the loop is another goroutine's.
func (l *Loop) handle(m message) bool {
	switch m.kind {
	case msgPark:
		if m.fd.gen.Load() == m.gen && m.fd.r.p.Load() == &parked {
			l.wheel.set(&m.fd.timer, m.until)
		}
	case msgUnpark:
		l.wheel.unset(&m.fd.timer)
	case msgWake:
		return l.endWait(m.task, m.timedOut)
	case msgReadopt:
		return l.readopt(m.task)
	case msgSpawn:
		l.soon.push(runnable{job: m.job})
	case msgKick:
		if m.fd.gen.Load() == m.gen {
			l.last.push(runnable{fd: m.fd})
		}
	case msgNudge:
		return m.fd.gen.Load() != m.gen || l.runOverdue(m.fd)
	}
	return true
}
