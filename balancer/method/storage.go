package method

import (
	"bytes"
	"io"
	"os"
	"syscall"
	"time"
)

// largestStorage is how much of a HeartbeatStorage file is read, in bytes.
const largestStorage = 1 << 20

// ReadStorage is what a HeartbeatStorage file says, and when it was written. Anybody may have put it there: what is no plain file is
// an error, and of a very large one the first lines are read.
func ReadStorage(path string) (text []byte, written time.Time, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not wait for its writer
	if err != nil {
		return nil, written, err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, written, err
	case st.IsDir():
		return nil, written, &os.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	case !st.Mode().IsRegular():
		return nil, written, &os.PathError{Op: "read", Path: path, Err: syscall.EINVAL}
	}
	if text, err = io.ReadAll(io.LimitReader(f, largestStorage)); err != nil {
		return nil, written, err
	}
	if len(text) == largestStorage {
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	return text, st.ModTime(), nil
}

// storageRead is a file that was read. Immutable.
type storageRead struct {
	path    string
	info    os.FileInfo
	servers beats
}

// settled is how old a file must be so that another one of the same size and time is not taken for it.
const settled = 100 * time.Millisecond

// readStorage is the servers of a file, which is read again when it has changed.
func (h *Heartbeat) readStorage(path string) (beats, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if l := h.last.Load(); l != nil && l.path == path && os.SameFile(l.info, info) && l.info.Size() == info.Size() && l.info.ModTime().Equal(info.ModTime()) {
		return l.servers, nil
	}
	text, written, err := ReadStorage(path)
	if err != nil {
		return nil, err
	}
	servers := parseBeats(string(text))
	if written.Equal(info.ModTime()) && time.Since(written) > settled {
		h.last.Store(&storageRead{path, info, servers})
	}
	return servers, nil
}
