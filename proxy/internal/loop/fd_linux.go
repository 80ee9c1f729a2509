package loop

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// Fd is a socket that a Loop watches once something has to be waited for. One task at a time uses it.
type Fd struct {
	n     int32
	group *Group

	loop     atomic.Pointer[Loop] // nil: no loop watches it; written by who uses it
	gen      atomic.Uint32        // of its place in the table
	r, w     pollDesc
	end      atomic.Bool // an event told of the other side's end, or of an error
	notified atomic.Bool // an event came for who reads
	room     atomic.Bool // its loop watches it for who writes, too
	listener *listener   // not nil: it is a listening socket
	movable  bool        // its parked job may begin in another loop

	// Owned by who uses it; by its loop while it is parked.
	job       Job
	timedOut  bool  // the job is run because nothing came in
	timer     timer // of the time that it may be parked
	wasParked bool  // its timer may be on the loop's wheel
}

// NewFd makes an Fd of a non-blocking descriptor.
func (g *Group) NewFd(n uintptr) *Fd {
	f := &Fd{n: int32(n), group: g}
	f.timer.fd = f
	return f
}

// NewFd is Group.NewFd of the group that serves t.
func (t *Task) NewFd(n uintptr) *Fd { return t.loop.group.NewFd(n) }

// MayMove says whether its parked job may be run by another loop than the one that watches it, which changes then.
// Owned by who uses it.
func (f *Fd) MayMove(may bool) { f.movable = may }

// Near reports whether t's loop watches it, or no loop does yet.
func (f *Fd) Near(t *Task) bool {
	l := f.loop.Load()
	return l == nil || l == t.loop
}

// Watched reports whether a loop watches it.
func (f *Fd) Watched() bool { return f.loop.Load() != nil }

// N is the descriptor.
func (f *Fd) N() uintptr { return uintptr(f.n) }

// Ended reports whether an event has told of the other side's end, or of an error.
func (f *Fd) Ended() bool { return f.end.Load() }

// PendingEvent reports whether an event came that nobody has waited for: bytes, an end or an error. It takes
// the event's mark away, so the caller has to read.
func (f *Fd) PendingEvent() bool { return f.r.takeReady() || f.end.Load() }

// Notified reports whether an event has come for who reads since it was last asked: a job that is run may find
// that only somebody has kicked it.
func (f *Fd) Notified() bool { return f.notified.Swap(false) || f.end.Load() }

// AwaitRoom has the next Park end, too, once the system takes more bytes to be sent. false: it does already.
func (f *Fd) AwaitRoom() bool {
	return f.w.p.Load() == &parked || f.watchRoom() == nil && f.w.wait(&parked)
}

// ForgetRoom ends what AwaitRoom began: the next run of a job that has called that begins with it.
func (f *Fd) ForgetRoom() { f.w.cancel(&parked) }

// Kick has its parked job run soon, once what its loop is at is done; a job that runs already does not get parked
// before it has looked around once more, and a task that waits to read looks whether it can. by is the task whose job
// calls it; nil: it is no task's. Any goroutine may call it while it sees to it that nobody calls Close.
func (f *Fd) Kick(by *Task) {
	switch t := f.r.event(); t {
	case nil:
	case &parked:
		f.runSoon(by)
	default:
		t.wake(by)
	}
}

// runSoon is Kick of a socket that was parked until now.
func (f *Fd) runSoon(by *Task) {
	l := f.loop.Load()
	if by == nil || l != by.loop || !by.acquireLoop() {
		l.enqueue(message{fd: f, gen: f.gen.Load(), kind: msgKick})
		return
	}
	l.last.push(runnable{fd: f})
	by.releaseLoop()
}

// Use prepares it for a task: if another loop watches it, the task's loop does from now on, unless the task is
// detached.
func (f *Fd) Use(t *Task) error {
	l := f.loop.Load()
	if l == nil || l == t.loop || t.offLoop() {
		return nil
	}
	l.unwatch(f)
	return f.watchBy(t.loop, f.w.awaited())
}

// watchBy has a loop watch it. room: for who writes, too; a fresh socket has room, so the loop would be told of it for
// nothing.
func (f *Fd) watchBy(l *Loop, room bool) error {
	events := readEvents
	if room {
		events |= epollOut
	}
	f.loop.Store(l)
	f.room.Store(room)
	err := l.add(f, events)
	if err != nil {
		f.loop.Store(nil)
	}
	return err
}

// watchRoom has the loop that watches it, if one does, do so for who writes, too. The loop is told if there is room by now.
func (f *Fd) watchRoom() error {
	l := f.loop.Load()
	if l == nil || f.room.Swap(true) {
		return nil
	}
	return l.control(syscall.EPOLL_CTL_MOD, int(f.n), readEvents|epollOut, f.gen.Load())
}

// wait waits until one of its directions is ready.
func (f *Fd) wait(t *Task, d *pollDesc, timeout time.Duration) error {
	if t == nil { // who closes an idle connection must not wait for it
		return os.ErrDeadlineExceeded
	}
	var err error
	switch {
	case f.loop.Load() == nil:
		err = f.watchBy(t.loop, d == &f.w)
	case d == &f.w:
		err = f.watchRoom()
	}
	if err != nil {
		return err
	}
	return t.wait(d, timeout)
}

// Park has job run, in a task of the loop that watches the socket, when something comes in or the timeout is
// over (TimedOut tells which). It is the last thing that a job does: once it returned true, that task may be
// using the socket already. false: something has come in, or stopping is set.
func (f *Fd) Park(t *Task, job Job, timeout time.Duration, stopping *atomic.Bool) (bool, error) {
	f.job, f.timedOut, f.wasParked = job, false, true
	l := f.loop.Load()
	if l == nil {
		l = t.loop.leastLoaded(f.loops())
		if err := f.watchBy(l, f.w.awaited()); err != nil {
			return false, err
		}
	}
	if l != t.loop || !t.acquireLoop() {
		return f.parkRemotely(l, timeout, stopping), nil
	}
	if stopping.Load() || !f.r.wait(&parked) {
		t.releaseLoop()
		return false, nil
	}
	l.wheel.set(&f.timer, l.now+int64(timeout))
	return true, nil
}

// loops is how many loops there are for it.
func (f *Fd) loops() int {
	if f.movable {
		return int(f.group.spread.inUse.Load())
	}
	return len(f.group.list)
}

// parkRemotely is Park by who does not own the loop that watches it.
func (f *Fd) parkRemotely(l *Loop, timeout time.Duration, stopping *atomic.Bool) bool {
	until := l.group.clock() + int64(timeout)
	if !f.r.wait(&parked) {
		return false
	}
	if stopping.Load() && f.r.cancel(&parked) {
		return false
	}
	l.enqueue(message{fd: f, gen: f.gen.Load(), kind: msgPark, until: until})
	return true
}

// TimedOut reports whether the job is run because the time to be parked was over, or because of Nudge.
func (f *Fd) TimedOut() bool { return f.timedOut }

// Nudge has a parked job run as if its time were over; a task that waits goes on waiting. Any goroutine may
// call it while it sees to it that nobody calls Close.
func (f *Fd) Nudge() {
	if l := f.loop.Load(); l != nil {
		l.enqueue(message{fd: f, gen: f.gen.Load(), kind: msgNudge})
	}
}

// Cut ends both directions. Any goroutine may call it while it sees to it that nobody calls Close.
func (f *Fd) Cut() {
	syscall.RawSyscall(syscall.SYS_SHUTDOWN, uintptr(f.n), syscall.SHUT_RDWR, 0)
}

// Release ends its use as an Fd, and returns the descriptor: no loop watches it any more.
func (f *Fd) Release(t *Task) uintptr {
	if l := f.loop.Load(); l != nil {
		f.unsetTimer(t, l)
		l.unwatch(f)
	}
	return uintptr(f.n)
}

// Close closes it. t may be nil for one that was never parked.
func (f *Fd) Close(t *Task) {
	if l := f.loop.Load(); l != nil {
		f.unsetTimer(t, l)
		l.drop(f)
	}
	f.job = nil
	sys.Close(uintptr(f.n))
}

// unsetTimer takes its timer off the loop's wheel.
func (f *Fd) unsetTimer(t *Task, l *Loop) {
	switch {
	case t == nil, !f.wasParked:
	case l != t.loop || !t.acquireLoop():
		l.enqueue(message{fd: f, kind: msgUnpark})
	default:
		l.wheel.unset(&f.timer)
		t.releaseLoop()
	}
}
