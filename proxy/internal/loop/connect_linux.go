package loop

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/sys"
)

// Connect connects a fresh socket, and waits until that is done. What the system says is an *os.SyscallError; a timeout is
// os.ErrDeadlineExceeded.
func (f *Fd) Connect(t *Task, to *sys.Address, timeout time.Duration) error {
	for {
		switch e := sys.Connect(f.N(), to); e {
		case 0:
			return nil
		case syscall.EINPROGRESS: // one on this machine has answered by now
		case syscall.EALREADY:
			if err := f.wait(t, &f.w, timeout); err != nil {
				return err
			}
		default:
			return os.NewSyscallError("connect", e)
		}
	}
}
