package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/log/sink"
)

// PidFile is the file of the directive PidFile.
type PidFile struct {
	Path  string // absolute; "": none is kept
	owned bool   // this process has written it
}

// errGarbage is a pid file that holds no number: APR_EGENERAL in httpd's words.
var errGarbage = errors.New("(20014)Internal error (specific information not available)")

// read is the process in the file; 0 and no error when there is no file, or none is kept (httpd: log.c ap_read_pid).
func (p *PidFile) read() (int, error) {
	if p.Path == "" {
		return 0, nil
	}
	b, err := os.ReadFile(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case len(b) == 0 || len(b) > 24 || b[0] < '0' || b[0] > '9':
		return 0, errGarbage
	}
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	pid, err := strconv.Atoi(string(b[:n]))
	if err == nil && !p.credible(pid) {
		err = errForeign
	}
	return pid, err
}

// errForeign is a pid file that root must not believe.
var errForeign = errors.New("the file belongs to a user who is not root and whose process it does not name")

// credible reports whether the file's owner may say what root signals: root itself, or a user about a
// process of his own.
func (p *PidFile) credible(pid int) bool {
	if os.Geteuid() != 0 {
		return true
	}
	owner := ownerOf(p.Path)
	proc := ownerOf("/proc/" + strconv.Itoa(pid))
	return owner <= 0 || proc < 0 || owner == proc
}

// ownerOf is the user of a file; -1 for none.
func ownerOf(path string) int {
	st, err := os.Lstat(path)
	if err != nil {
		return -1
	}
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}

// write puts this process into the file, by way of a second one so that nobody reads half a number. A file that has it already
// is left alone: a reload must not fail for want of room on the disk.
// overwritten: somebody else's file was there (httpd: log.c ap_log_pid).
func (p *PidFile) write() (overwritten bool, err error) {
	if p.owned {
		if pid, err := p.read(); pid == os.Getpid() && err == nil {
			return false, nil
		}
	} else {
		_, err := os.Stat(p.Path)
		overwritten = err == nil
	}
	d, err := sink.OpenFolder(filepath.Dir(p.Path))
	if err != nil {
		return overwritten, err
	}
	defer d.Close()
	if err := d.Replace(filepath.Base(p.Path), fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		return overwritten, err
	}
	p.owned = true
	return overwritten, nil
}

// remove takes the file away; other processes' files stay.
func (p *PidFile) remove() error {
	if !p.owned {
		return nil
	}
	p.owned = false
	d, err := sink.OpenFolder(filepath.Dir(p.Path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Remove(filepath.Base(p.Path))
}

// NoPidFile is the error of a pid file that can't be written.
func NoPidFile(program, path string, err error) error {
	return fmt.Errorf("%s: AH00099: could not create %s.XXXXXX\nAH00100: %s: could not log pid to file %s", cli.ErrnoOf(err), path, program, path)
}
