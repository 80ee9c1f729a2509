package socket

import (
	"syscall"
	"unsafe"
)

// mail is what others ask of a loop.
type mail struct {
	kind mailKind
	fd   *Fd
	gen  uint32
	by   int64
	task *Task
	late bool
}

type mailKind uint8

const (
	mailPark  mailKind = iota // a task that is away has parked fd
	mailNudge                 // have the job of fd, if it is parked, run as if its time were over
	mailUnset                 // fd is closed
	mailWake                  // task's wait is over
	mailWait                  // task, which was away, waits
)

// post gives the loop something to see to.
func (l *Loop) post(m mail) {
	l.mu.Lock()
	l.mail = append(l.mail, m)
	first := !l.rung
	l.rung = true
	l.mu.Unlock()
	if first {
		l.ring()
	}
}

// postLater is post of what has time until the loop has seen to its next events.
func (l *Loop) postLater(m mail) {
	l.mu.Lock()
	l.mail = append(l.mail, m)
	l.mu.Unlock()
	if l.sleeping.Load() {
		l.ring()
	}
}

// called tells whether there is mail.
func (l *Loop) called() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.mail) > 0
}

func (l *Loop) ring() {
	one := uint64(1)
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(l.bell), uintptr(unsafe.Pointer(&one)), 8)
}

// open reads the mail, in the order it came.
func (l *Loop) open() bool {
	l.mu.Lock()
	l.read = append(l.read, l.mail...)
	clear(l.mail)
	l.mail, l.rung = l.mail[:0], false
	l.mu.Unlock()
	for l.seen < len(l.read) {
		m := l.read[l.seen]
		l.seen++
		if !l.see(m) {
			return false
		}
	}
	clear(l.read)
	l.read, l.seen = l.read[:0], 0
	return true
}

func (l *Loop) see(m mail) bool {
	switch m.kind {
	case mailPark:
		if m.fd.gen.Load() == m.gen && m.fd.r.p.Load() == &parked {
			l.wheel.set(&m.fd.told, m.by)
		}
	case mailUnset:
		if m.fd.told.next != nil {
			l.wheel.remove(&m.fd.told)
		}
	case mailWake:
		return l.wake(m.task, m.late)
	case mailWait:
		return l.takeBack(m.task)
	case mailNudge:
		return l.nudge(m)
	}
	return true
}

func (l *Loop) nudge(m mail) bool {
	if m.fd.gen.Load() != m.gen {
		return true
	}
	return l.lateJob(m.fd)
}

// takeBack has a task that was away wait as the loop's.
func (l *Loop) takeBack(t *Task) bool {
	t.away, t.late, t.at = false, false, t.want
	if !t.at.put(t) {
		return l.resume(t)
	}
	l.wheel.set(&t.end, t.until)
	return true
}
