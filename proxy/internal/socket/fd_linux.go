package socket

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Fd is a socket that a Loop watches once something has to be waited for. One task at a time uses it.
type Fd struct {
	n     int32
	group *Loops

	loop atomic.Pointer[Loop] // nil: no loop watches it; written by who uses it
	gen  atomic.Uint32        // of its place in the table
	r, w slot
	end  atomic.Bool // the other side has ended, or all is over
	door *door       // it is a listener

	// Owned by who uses it; by its loop while it is parked.
	job    Job
	late   bool  // the job is run because nothing came in
	told   timer // of the time that it may be parked
	rested bool  // it was parked once
}

// NewFd is a non-blocking descriptor for a group's loops.
func (g *Loops) NewFd(n uintptr) *Fd {
	f := &Fd{n: int32(n), group: g}
	f.told.fd = f
	return f
}

// NewFd is one of the group that serves t.
func (t *Task) NewFd(n uintptr) *Fd { return t.loop.group.NewFd(n) }

// Near tells whether t's loop watches it, or could.
func (f *Fd) Near(t *Task) bool {
	l := f.loop.Load()
	return l == nil || l == t.loop
}

// Watched tells whether a loop watches it.
func (f *Fd) Watched() bool { return f.loop.Load() != nil }

// N is the descriptor.
func (f *Fd) N() uintptr { return uintptr(f.n) }

// Ended tells whether the other side's end, or a fault, was seen coming.
func (f *Fd) Ended() bool { return f.end.Load() }

// Stirred tells whether anything may have come in that nobody has waited for. Who asks has to look:
// the mark is gone.
func (f *Fd) Stirred() bool { return f.r.take() || f.end.Load() }

// Use readies it for a task: it is the task's loop that watches it.
func (f *Fd) Use(t *Task) error {
	l := f.loop.Load()
	if l == nil || l == t.loop || t.away {
		return nil
	}
	l.forget(f)
	return f.know(t.loop)
}

// know has a loop watch it.
func (f *Fd) know(l *Loop) error {
	f.loop.Store(l)
	err := l.watch(f)
	if err != nil {
		f.loop.Store(nil)
	}
	return err
}

// wait waits for what a slot stands for.
func (f *Fd) wait(t *Task, s *slot, timeout time.Duration) error {
	if t == nil { // who closes an idle connection does not wait for it
		return os.ErrDeadlineExceeded
	}
	if f.loop.Load() == nil {
		if err := f.know(t.loop); err != nil {
			return err
		}
	}
	return t.wait(s, timeout)
}

// Park has a job run when something comes in, or, with Late, when nothing did for as long as timeout
// says. It is the last thing that a job does: when it returns true the socket is its loop's. false:
// something is there already. over is asked at the last moment whether there is any sense in it.
func (f *Fd) Park(t *Task, job Job, timeout time.Duration, over *atomic.Bool) (bool, error) {
	f.job, f.late, f.rested = job, false, true
	l := f.loop.Load()
	if l == nil {
		l = t.loop.lighter()
		if err := f.know(l); err != nil {
			return false, err
		}
	}
	if l != t.loop || !t.here() {
		return f.parkAway(l, timeout, over), nil
	}
	if over.Load() || !f.r.put(&parked) {
		t.back()
		return false, nil
	}
	l.wheel.set(&f.told, l.now+int64(timeout))
	return true, nil
}

// parkAway is Park by who does not run its loop.
func (f *Fd) parkAway(l *Loop, timeout time.Duration, over *atomic.Bool) bool {
	by := l.group.clock() + int64(timeout)
	if !f.r.put(&parked) {
		return false
	}
	if over.Load() && f.r.drop(&parked) {
		return false
	}
	l.post(mail{fd: f, gen: f.gen.Load(), kind: mailPark, by: by})
	return true
}

// Late tells whether the job is run because nothing came in.
func (f *Fd) Late() bool { return f.late }

// Nudge has a parked job run as if its time were over; a task that waits goes on waiting. Anybody may call
// it who keeps Close away.
func (f *Fd) Nudge() {
	if l := f.loop.Load(); l != nil {
		l.post(mail{fd: f, gen: f.gen.Load(), kind: mailNudge})
	}
}

// Cut ends both directions. Anybody may call it who keeps Close away.
func (f *Fd) Cut() {
	syscall.RawSyscall(syscall.SYS_SHUTDOWN, uintptr(f.n), syscall.SHUT_RDWR, 0)
}

// Release gives the descriptor up: no loop watches it any more.
func (f *Fd) Release(t *Task) uintptr {
	if l := f.loop.Load(); l != nil {
		f.unset(t, l)
		l.forget(f)
	}
	return uintptr(f.n)
}

// Close closes it. t may be nil for one that was never parked.
func (f *Fd) Close(t *Task) {
	if l := f.loop.Load(); l != nil {
		f.unset(t, l)
		l.drop(f)
	}
	f.job = nil
	Close(uintptr(f.n))
}

// unset takes its time off the loop's wheel.
func (f *Fd) unset(t *Task, l *Loop) {
	switch {
	case t == nil, !f.rested:
	case l != t.loop || !t.here():
		l.post(mail{fd: f, kind: mailUnset})
	default:
		if f.told.next != nil {
			l.wheel.remove(&f.told)
		}
		t.back()
	}
}
