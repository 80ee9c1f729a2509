//go:build !linux

package process

import "syscall"

func setAllUIDs(id int) error { return syscall.Setuid(id) }

func setAllGIDs(id int) error { return syscall.Setgid(id) }

func withoutNewPrivileges(f func() error) error { return f() }
