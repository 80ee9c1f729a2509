package loop

import (
	"os"
	"syscall"
	"time"
)

// pollerWait is how a loop waits while little goes on: its goroutine waits by the runtime's poller for the loop's epoll
// to have events, so that Go's scheduler has the processor at once. A thread that waits in epoll_wait itself
// keeps it for a while, and as long as any processor is in use the runtime's monitor thread wakes every 20 to 70
// µs, which costs more than the request. With many events the direct wait is cheaper: the poller would wake
// threads for nothing.
//
// Owned by the loop: see owner_linux.go.
type pollerWait struct {
	file     *os.File // a second descriptor of the loop's epoll, known to the poller; nil: the loop waits in epoll_wait
	conn     syscall.RawConn
	take     func(uintptr) bool // takes the events that there are; false: none
	deadline int64              // of file, by the group's clock; 0: none. It may be earlier than needed
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
	p.file, p.conn, p.deadline = file, conn, 0
	if p.take == nil {
		p.take = func(uintptr) bool {
			p.n, p.errno = l.pollKeeping(0)
			return p.n != 0 || p.errno != 0
		}
	}
}

func (p *pollerWait) leave() {
	if p.on() {
		p.file.Close()
		p.file, p.conn = nil, nil
	}
}

// wait waits for events until next at the latest, 0: for ever.
func (p *pollerWait) wait(l *Loop, next int64) (n uintptr, e syscall.Errno) {
	if next != 0 && (p.deadline == 0 || p.deadline > next) {
		p.deadline = next
		p.file.SetReadDeadline(l.group.began.Add(time.Duration(next) + time.Millisecond))
	}
	p.n, p.errno = 0, 0
	if err := p.conn.Read(p.take); err != nil { // the deadline is over
		p.deadline = 0
		p.file.SetReadDeadline(time.Time{})
		p.take(0)
	}
	return p.n, p.errno
}
