package sink

import (
	"errors"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Writable reports why a log file could not be opened for appending; nil: it could. Nothing is made.
func Writable(path string) error {
	if _, own := standard[path]; own {
		return nil
	}
	d, err := OpenFolder(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	const flags = syscall.O_WRONLY | syscall.O_APPEND | syscall.O_CLOEXEC | syscall.O_NONBLOCK
	f, err := d.open(filepath.Base(path), flags, 0)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, syscall.ENOENT):
		return d.at("open", filepath.Base(path), syscall.Access(d.path, accessWrite|accessSearch))
	}
	return err
}

// The modes of access(2).
const (
	accessSearch = 1
	accessWrite  = 2
)

// FindProgram reports why a log's program, "|cmd" and its like, could not be started; nil: it is there.
func FindProgram(target string) error {
	argv := commandOf(target)
	if len(argv) == 0 {
		return syscall.ENOENT
	}
	_, err := exec.LookPath(argv[0])
	return err
}
