package loop

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// Connected waits until a fresh socket is connected for which sys.Connect said EINPROGRESS. What the system says of a
// failure is an *os.SyscallError; a timeout is os.ErrDeadlineExceeded.
func (f *Fd) Connected(t *Task, timeout time.Duration) error {
	for {
		e := sys.Connected(f.N()) // one on this machine has answered by now
		switch {
		case e == 0:
			return nil
		case e == syscall.EINPROGRESS && f.Ended():
			e = syscall.ECONNABORTED
			fallthrough
		case e != syscall.EINPROGRESS:
			return os.NewSyscallError("connect", e)
		}
		if err := f.wait(t, &f.w, timeout); err != nil {
			return err
		}
	}
}
