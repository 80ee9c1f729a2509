package loop

import (
	"os"
	"syscall"
	"time"
)

// calm is how a loop waits while little goes on: its goroutine waits by the runtime's poller for the loop's epoll
// to have events, so that Go's scheduler has the processor at once. A thread that waits in epoll_wait itself
// keeps it for a while, and as long as any processor is in use the runtime's monitor thread wakes every 20 to 70
// µs, which costs more than the request. With many events the direct wait is cheaper: the poller would wake
// threads for nothing.
//
// Owned by the loop: see owner_linux.go.
type calm struct {
	file     *os.File // a second descriptor of the loop's epoll, known to the poller; nil: the loop is not calm
	conn     syscall.RawConn
	take     func(uintptr) bool // takes the events that there are; false: none
	deadline int64              // of file, by the group's clock; 0: none. It may be earlier than needed
	n        uintptr
	errno    syscall.Errno

	since  int64 // when the counting began, by the group's clock
	events int   // so many since then
}

const (
	calmWindow = 32 * time.Millisecond // events are counted for so long
	calmBelow  = 40                    // with fewer in a window the loop becomes calm
	calmUntil  = 80                    // with more it is not calm any more
)

// on reports whether the loop waits calmly.
func (c *calm) on() bool { return c.file != nil }

// count counts the events that have come, and changes the way to wait when there are few or many. A loop that
// can't have a second descriptor stays as it is.
func (c *calm) count(l *Loop) {
	c.events += l.n
	switch {
	case c.on() && c.events > calmUntil:
		c.leave()
	case l.now-c.since < int64(calmWindow):
		return
	case !c.on() && c.events < calmBelow:
		c.enter(l)
	}
	c.since, c.events = l.now, 0
}

func (c *calm) enter(l *Loop) {
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
	c.file, c.conn, c.deadline = file, conn, 0
	if c.take == nil {
		c.take = func(uintptr) bool {
			c.n, c.errno = l.pollKeeping(0)
			return c.n != 0 || c.errno != 0
		}
	}
}

func (c *calm) leave() {
	if c.on() {
		c.file.Close()
		c.file, c.conn = nil, nil
	}
}

// wait waits for events until next at the latest, 0: for ever.
func (c *calm) wait(l *Loop, next int64) (n uintptr, e syscall.Errno) {
	if next != 0 && (c.deadline == 0 || c.deadline > next) {
		c.deadline = next
		c.file.SetReadDeadline(l.group.began.Add(time.Duration(next) + time.Millisecond))
	}
	c.n, c.errno = 0, 0
	if err := c.conn.Read(c.take); err != nil { // the deadline is over
		c.deadline = 0
		c.file.SetReadDeadline(time.Time{})
		c.take(0)
	}
	return c.n, c.errno
}
