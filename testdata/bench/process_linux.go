package main

import "syscall"

// dependent: a group of its own, which Ctrl-C does not reach, and an end with this program, however
// that comes.
func dependent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
