package main

import (
	"os"
	"syscall"
)

func setAllUIDs(id int) error { return syscall.Setresuid(id, id, id) }

func setAllGIDs(id int) error { return syscall.Setresgid(id, id, id) }

// prSetNoNewPrivs is PR_SET_NO_NEW_PRIVS of prctl(2).
const prSetNoNewPrivs = 38

// gainNothing keeps programs that this process starts from more rights than it has.
func gainNothing() error {
	_, _, e := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	if e == syscall.ENOTSUP { // built with cgo: threads that come inherit it from this one
		_, _, e = syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	}
	if e != 0 {
		return os.NewSyscallError("prctl", e)
	}
	return nil
}
