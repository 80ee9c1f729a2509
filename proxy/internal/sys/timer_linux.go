package sys

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Timer is a timer of the kernel's (timerfd_create(2)): to set and stop it wakes nobody of the process, and whoever waits for
// it does not wake the runtime's monitor thread.
type Timer struct {
	file *os.File
	conn syscall.RawConn
	fd   uintptr
}

// NewTimer makes a Timer that is stopped.
func NewTimer() (*Timer, error) {
	const monotonic, nonblock, cloexec = 1, syscall.O_NONBLOCK, syscall.O_CLOEXEC
	fd, _, e := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, monotonic, nonblock|cloexec, 0)
	if e != 0 {
		return nil, os.NewSyscallError("timerfd_create", e)
	}
	t := &Timer{file: os.NewFile(fd, "timer"), fd: fd}
	var err error
	if t.conn, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, err
	}
	return t, nil
}

// Set has Wait return once d is over; 0 stops it.
func (t *Timer) Set(d time.Duration) { t.Repeat(d, 0) }

// Repeat is Set, and has Wait return again whenever another interval is over.
func (t *Timer) Repeat(d, interval time.Duration) {
	spec := struct{ interval, value syscall.Timespec }{syscall.NsecToTimespec(int64(interval)), syscall.NsecToTimespec(int64(d))}
	syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, t.fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// Wait waits until the time that was set is over. An error: the Timer is closed.
func (t *Timer) Wait() error {
	return t.conn.Read(func(fd uintptr) bool {
		var count [8]byte
		_, _, e := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&count)), uintptr(len(count)))
		return e == 0
	})
}

// Close ends a Wait. Set must not be called after it.
func (t *Timer) Close() error { return t.file.Close() }
