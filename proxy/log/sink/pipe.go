package sink

import (
	"os"
	"syscall"
	"time"
)

// pipe is a target whose lines a program reads. The descriptor does not block.
type pipe struct {
	w   *os.File
	raw syscall.RawConn // of w
	own *Program        // that reads them, and ends with the target; nil: it is another process's

	once  func(fd uintptr) bool // makes raw write lines; used under the log's out
	lines []byte
	wrote bool
}

func newPipe(w *os.File, own *Program) (*pipe, error) {
	raw, err := w.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &pipe{w: w, raw: raw, own: own}
	p.once = p.attempt
	return p, nil
}

func (p *pipe) close() error {
	if p.own != nil {
		return p.own.Close()
	}
	return p.w.Close()
}

func (p *pipe) descriptor() *os.File { return p.w }

// abort keeps a write to a program that does not read from holding up Close.
func (p *pipe) abort() { p.w.SetWriteDeadline(time.Now().Add(exitWait)) }

func (p *pipe) write(lines []byte) error {
	_, err := p.w.Write(lines)
	return err
}

// whole is how many bytes a pipe takes at once or not at all (POSIX PIPE_BUF, on Linux).
const whole = 4096

// now has the pipe take the lines if they fit into it.
func (p *pipe) now(lines []byte) (bool, error) {
	if len(lines) > whole {
		return false, nil
	}
	p.lines, p.wrote = lines, false
	err := p.raw.Write(p.once)
	p.lines = nil
	return p.wrote && err == nil, nil
}

// attempt writes once. The end of the pipe does not block, being a pipe of Go's own making.
func (p *pipe) attempt(fd uintptr) bool {
	n, err := syscall.Write(int(fd), p.lines)
	p.wrote = err == nil && n == len(p.lines)
	return true
}
