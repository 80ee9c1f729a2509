package sink

import "syscall"

func openat(d *Folder, name string, flags int, mode uint32) (int, error) {
	return syscall.Openat(d.fd(), name, flags, mode)
}

func renameat(d *Folder, from, to string) error { return syscall.Renameat(d.fd(), from, d.fd(), to) }

func unlinkat(d *Folder, name string) error { return syscall.Unlinkat(d.fd(), name) }

func mkdirat(d *Folder, name string, mode uint32) error { return syscall.Mkdirat(d.fd(), name, mode) }
