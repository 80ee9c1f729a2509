package sink

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

type file struct{ f *os.File }

// disk is a regular file, which takes lines as fast as they come.
type disk struct{ *file }

func (d disk) now(lines []byte) (bool, error) { return true, d.write(lines) }

func newFile(f *os.File) target {
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
		return disk{&file{f}}
	}
	return &file{f}
}

// OpenFile opens a log for appending, so that several writers and a truncating rotation do no harm, and
// makes it when it is missing. In a folder that others may write it follows no link of theirs, see
// Folder. A standard stream that is a socket, or belongs to somebody else by now, cannot be opened by
// its name in /dev; the stream itself still can be written.
func OpenFile(path string) (*os.File, error) {
	f, err := openIn(path)
	if err == nil {
		return f, nil
	}
	fd, own := standard[path]
	if !own {
		return nil, err
	}
	dup, derr := syscall.Dup(fd)
	if derr != nil {
		return nil, err
	}
	syscall.CloseOnExec(dup)
	return os.NewFile(uintptr(dup), path), nil
}

func openIn(path string) (*os.File, error) {
	d, err := OpenFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Append(filepath.Base(path))
}

var standard = map[string]int{
	"/dev/stdout": 1, "/dev/fd/1": 1, "/proc/self/fd/1": 1,
	"/dev/stderr": 2, "/dev/fd/2": 2, "/proc/self/fd/2": 2,
}

func (f *file) write(lines []byte) error {
	_, err := f.f.Write(lines)
	return err
}

func (f *file) close() error { return f.f.Close() }

func (f *file) abort() {}

func (f *file) descriptor() *os.File { return f.f }

// Redirect makes a descriptor of this process (2 for stderr) write where the log's lines go. It fails
// for the system's log.
func (l *Log) Redirect(fd int) error {
	t, ok := l.to.(interface{ descriptor() *os.File })
	if !ok {
		return errors.New("no file")
	}
	c, err := t.descriptor().SyscallConn()
	if err != nil {
		return err
	}
	var derr error
	err = c.Control(func(own uintptr) { derr = Duplicate(int(own), fd) })
	return errors.Join(err, derr)
}
