//go:build !linux

package sink

import "syscall"

// Elsewhere the folder is found again by its path.

func openat(d *Folder, name string, flags int, mode uint32) (int, error) {
	return syscall.Open(d.path+"/"+name, flags, mode)
}

func renameat(d *Folder, from, to string) error {
	return syscall.Rename(d.path+"/"+from, d.path+"/"+to)
}

func unlinkat(d *Folder, name string) error { return syscall.Unlink(d.path + "/" + name) }

func mkdirat(d *Folder, name string, mode uint32) error { return syscall.Mkdir(d.path+"/"+name, mode) }
