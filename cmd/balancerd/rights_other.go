//go:build !linux

package main

import (
	"fmt"
	"os"
	"syscall"

	"balancerd/proxy/site"
)

// lower makes the process the user's, for good: a reload then can open only what the user may.
func (r *rights) lower(s *site.Settings) (warning string, err error) {
	if os.Geteuid() != 0 || r.lowered || s.User == "" {
		return "", nil
	}
	var groups []int
	if r.uid, r.gid, groups, err = identity(s.User, s.Group); err != nil {
		return "", err
	}
	for _, change := range []func() error{
		func() error { return syscall.Setgroups(groups) },
		func() error { return syscall.Setgid(r.gid) },
		func() error { return syscall.Setuid(r.uid) },
	} {
		if err := change(); err != nil {
			return "", fmt.Errorf("%s: AH02162: setuid: unable to change to uid: %d", errnoOf(err), r.uid)
		}
	}
	r.lowered = true
	return "", nil
}

// raised runs f with the rights that are left.
func (r *rights) raised(f func() error) error { return f() }
