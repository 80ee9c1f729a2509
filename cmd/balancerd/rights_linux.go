package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"balancerd/internal/recovery"
	"balancerd/proxy/site"
)

// lower makes all threads the user's. It does nothing when root did not start the server, or when
// there is no User, which the returned warning is about.
func (r *rights) lower(s *site.Settings) (warning string, err error) {
	if os.Geteuid() != 0 || r.lowered {
		return "", nil
	}
	if s.User == "" {
		return "AH02155: getpwuid: couldn't determine user name from uid 4294967295, you probably need to modify the User directive", nil
	}
	var groups []int
	if r.uid, r.gid, groups, err = identity(s.User, s.Group); err != nil {
		return "", err
	}
	if err := syscall.Setgroups(groups); err != nil {
		return "", fmt.Errorf("%s: AH02158: initgroups: unable to set groups for User %s and Group %d", errnoOf(err), s.User, r.gid)
	}
	if err := syscall.Setresgid(r.gid, r.gid, 0); err != nil {
		return "", fmt.Errorf("%s: AH02157: setgid: unable to set group id to Group %d", errnoOf(err), r.gid)
	}
	if err := syscall.Setresuid(r.uid, r.uid, 0); err != nil {
		return "", fmt.Errorf("%s: AH02162: setuid: unable to change to uid: %d", errnoOf(err), r.uid)
	}
	r.lowered = true
	return "", nil
}

// raised runs f with the rights that the server was started with. f must do what needs them by
// itself, not in goroutines of its own.
func (r *rights) raised(f func() error) error {
	if !r.lowered {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		err := errUndone
		defer func() { done <- err }()
		recovery.Do("doing what needs the rights of the start", func() { err = r.onThread(f) })
	}()
	return <-done
}

// errUndone is what comes of a function that panicked. Its thread, which may be root's still, ends with its
// goroutine.
var errUndone = errors.New("it panicked: see the log")

// onThread keeps the goroutine on one thread, whose identity alone is changed: the system calls are
// made bare, without the rest of the process. A thread that cannot be changed back ends with its
// goroutine (runtime.LockOSThread).
func (r *rights) onThread(f func() error) error {
	runtime.LockOSThread()
	if err := become(0, 0); err != nil {
		return err
	}
	err := f()
	if back := become(r.uid, r.gid); back != nil {
		return back
	}
	runtime.UnlockOSThread()
	return err
}

// become changes this thread's real and effective identity and keeps root as the saved one. On the
// way up the user comes first, since only root may change the group; on the way down last.
func become(uid, gid int) error {
	calls := [2][2]uintptr{{syscall.SYS_SETRESUID, uintptr(uid)}, {syscall.SYS_SETRESGID, uintptr(gid)}}
	if uid != 0 {
		calls[0], calls[1] = calls[1], calls[0]
	}
	for _, c := range calls {
		if _, _, no := syscall.RawSyscall(c[0], c[1], c[1], 0); no != 0 {
			return no
		}
	}
	return nil
}
