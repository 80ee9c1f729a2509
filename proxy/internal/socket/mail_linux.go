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
	mailNudge                 // end the wait for fd to be readable
	mailUnset                 // fd is closed
	mailWake                  // task's wait is over
)

// post gives the loop something to see to.
func (l *Loop) post(m mail) {
	l.mu.Lock()
	l.mail = append(l.mail, m)
	first := len(l.mail) == 1
	l.mu.Unlock()
	if first {
		l.ring()
	}
}

func (l *Loop) ring() {
	one := uint64(1)
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(l.bell), uintptr(unsafe.Pointer(&one)), 8)
}

// open reads the mail.
func (l *Loop) open() bool {
	l.mu.Lock()
	l.read = append(l.read, l.mail...)
	clear(l.mail)
	l.mail = l.mail[:0]
	l.mu.Unlock()
	for len(l.read) > 0 {
		m := l.read[len(l.read)-1]
		l.read[len(l.read)-1] = mail{}
		l.read = l.read[:len(l.read)-1]
		if !l.see(m) {
			return false
		}
	}
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
	case mailNudge:
		return l.nudge(m)
	}
	return true
}

func (l *Loop) nudge(m mail) bool {
	if m.fd.gen.Load() != m.gen {
		return true
	}
	switch t := m.fd.r.p.Load(); t {
	case nil, &edge:
	case &parked:
		return l.lateJob(m.fd)
	default:
		if m.fd.r.drop(t) {
			return l.wake(t, true)
		}
	}
	return true
}
