package process

import (
	"os"
	"runtime"
	"syscall"

	"balancerd/proxy/recovery"
)

func setAllUIDs(id int) error { return syscall.Setresuid(id, id, id) }

func setAllGIDs(id int) error { return syscall.Setresgid(id, id, id) }

// prSetNoNewPrivs is PR_SET_NO_NEW_PRIVS of prctl(2).
const prSetNoNewPrivs = 38

// withoutNewPrivileges runs f, which starts a process, so that neither that process nor any program that it may
// ever start gains rights by set-user-ID bits or capabilities of files. It does so on a thread of its own,
// which ends with it: what it was denied can't be given back.
func withoutNewPrivileges(f func() error) error {
	done := make(chan error, 1)
	recovery.Go("starting a process without a way to more rights", func() {
		runtime.LockOSThread()
		if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); e != 0 {
			done <- os.NewSyscallError("prctl", e)
			return
		}
		done <- f()
	})
	return <-done
}
