package loop

import (
	"iter"
	"os"
	"syscall"
	"time"

	"balancerd/proxy/recovery"
)

// pollerWait is how a loop waits while little goes on: a coroutine waits by the runtime's poller for the loop's epoll
// to have events, so that Go's scheduler has the processor at once. A thread that waits in epoll_wait itself
// keeps it for a while, and as long as any processor is in use the runtime's monitor thread wakes every 20 to 70
// µs, which costs more than the request. With many events the direct wait is cheaper: the poller would wake
// threads for nothing.
//
// Owned by the loop: see owner_linux.go.
type pollerWait struct {
	file     *os.File                // a second descriptor of the loop's epoll, known to the poller; nil: the loop waits in epoll_wait
	next     func() (struct{}, bool) // waits: runs the coroutine until it has taken events, or the deadline is over
	end      func()                  // ends the coroutine
	again    bool                    // there may be events that the poller has told of
	deadline int64                   // of file, by the group's clock; 0: none. It may be earlier than needed
	n        uintptr
	errno    syscall.Errno

	since  int64 // when the counting began, by the group's clock
	events int   // so many since then
}

const (
	countWindow = 32 * time.Millisecond // events are counted for so long
	fewEvents   = 40                    // with fewer in a window the loop begins to wait so
	manyEvents  = 80                    // with more it ends that
)

const _ = uint(len(Loop{}.events) - manyEvents - 1) // see coroutine

// on reports whether the loop waits by the poller.
func (p *pollerWait) on() bool { return p.file != nil }

// count counts the events that have come, and changes the way to wait when there are few or many. A loop that
// can't have a second descriptor stays as it is.
func (p *pollerWait) count(l *Loop) {
	p.events += l.n
	switch {
	case p.on() && p.events > manyEvents:
		p.leave()
	case l.now-p.since < int64(countWindow):
		return
	case !p.on() && p.events < fewEvents:
		p.enter(l)
	}
	p.since, p.events = l.now, 0
}

func (p *pollerWait) enter(l *Loop) {
	n, _, e := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(l.epoll), syscall.F_DUPFD_CLOEXEC, 0)
	if e != 0 {
		return
	}
	syscall.SetNonblock(int(n), true)
	file := os.NewFile(n, "epoll")
	conn, err := file.SyscallConn()
	if err == nil {
		err = file.SetReadDeadline(time.Time{}) // an error: it is not known to the poller
	}
	if err != nil {
		file.Close()
		return
	}
	p.file, p.deadline = file, 0
	p.next, p.end = iter.Pull(func(yield func(struct{}) bool) {
		defer recovery.Catch("waiting for an event loop's events")
		p.coroutine(l, conn, yield)
	})
}

// coroutine yields whenever it has taken events, or the deadline is over. Between two waits it stays inside conn.Read's
// callback: whoever calls Read anew forgets what the poller knew of, and so has to look at the epoll once more. The poller
// tells of each event once. Who has not taken all, and waits again, must look again: of a listener, where more connections
// may be than were accepted. With as many events as one look takes the loop leaves the poller.
func (p *pollerWait) coroutine(l *Loop, conn syscall.RawConn, yield func(struct{}) bool) {
	over := false
	take := func(uintptr) bool { // false: wait
		for p.again = true; p.again && !over; {
			p.again = false
			if p.n, p.errno = l.pollKeeping(0); p.n != 0 || p.errno != 0 {
				over = !yield(struct{}{})
			}
		}
		return over
	}
	for !over {
		if err := conn.Read(take); err != nil { // the deadline is over
			p.deadline = 0
			p.file.SetReadDeadline(time.Time{})
			p.n, p.errno = l.pollKeeping(0)
			over = !yield(struct{}{})
		}
	}
}

func (p *pollerWait) leave() {
	if p.on() {
		p.end()
		p.file.Close()
		p.file, p.next, p.end = nil, nil, nil
	}
}

// wait waits until next at the latest, 0: for ever, and takes the events that there are then.
func (p *pollerWait) wait(l *Loop, next int64) (n uintptr, e syscall.Errno) {
	if next != 0 && (p.deadline == 0 || p.deadline > next) {
		p.deadline = next
		p.file.SetReadDeadline(l.group.began.Add(time.Duration(next) + time.Millisecond))
	}
	p.n, p.errno = 0, 0
	if _, waits := p.next(); !waits { // it has panicked
		p.leave()
	}
	return p.n, p.errno
}
