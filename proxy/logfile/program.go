package logfile

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"balancerd/internal/recovery"
)

const (
	respawn  = time.Second     // before a program that ended is started again
	goodbye  = time.Second     // how long Close waits for a program to end by itself
	lastWord = 3 * time.Second // between TERM and KILL
)

// program is a running log program. Both ends of its pipe stay open here, so that lines it did not
// read go to its successor (httpd: log.c piped_log_spawn).
type program struct {
	argv []string
	dir  string
	died func(program string, err error)
	as   func(func() error) error
	r, w *os.File
	raw  syscall.RawConn // of w

	once  func(fd uintptr) bool // makes raw write lines; used under the log's out
	lines []byte
	wrote bool

	mu   sync.Mutex // guards what follows
	cmd  *exec.Cmd  // nil between a death and the next start
	over bool       // Close was called

	done chan struct{} // closed when the program ended after Close
}

func (s *Set) pipe(name string) (*Log, error) {
	p := &program{argv: commandOf(name), dir: s.o.Root, died: s.o.Died, as: s.o.Raised, done: make(chan struct{})}
	var err error
	if p.r, p.w, err = os.Pipe(); err != nil {
		return nil, err
	}
	if p.raw, err = p.w.SyscallConn(); err != nil {
		return nil, err
	}
	p.once = p.attempt
	if err := p.start(); err != nil {
		p.r.Close()
		p.w.Close()
		return nil, err
	}
	return newLog(name, p, s.o.Delay, s.o.Report), nil
}

// commandOf is the argument list of "|cmd", "||cmd" or "|$cmd".
func commandOf(name string) []string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "|"), "|")
	if shell, ok := strings.CutPrefix(name, "$"); ok {
		return []string{"/bin/sh", "-c", shell}
	}
	return split(name)
}

// split cuts a command line into words as the APR library does for programs that are started
// without a shell: blanks separate, quotes around a word hold it together, and a backslash takes the
// next character as it is (apr_cpystrn.c apr_tokenize_to_argv).
func split(line string) []string {
	var words []string
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		ends := " \t"
		if line[0] == '"' || line[0] == '\'' {
			ends, line = line[:1], line[1:]
		}
		n := wordLen(line, ends)
		words = append(words, unescape(line[:n]))
		line = line[min(n+1, len(line)):]
	}
	return words
}

// wordLen is where the word ends: at one of the bytes in ends that has no backslash before it.
func wordLen(s, ends string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(" \t\"'", s[i+1]) >= 0:
			i++
		case strings.IndexByte(ends, s[i]) >= 0:
			return i
		}
	}
	return len(s)
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// start runs the program and a goroutine that waits for its end.
func (p *program) start() error {
	if len(p.argv) == 0 {
		return syscall.ENOENT
	}
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.dir, p.r, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd = cmd
	p.mu.Unlock()
	recovery.Go("waiting for the end of a log's program", func() { p.wait(cmd) })
	return nil
}

func (p *program) again() error {
	if p.as == nil {
		return p.start()
	}
	return p.as(p.start)
}

func (p *program) wait(cmd *exec.Cmd) {
	err := cmd.Wait()
	for !p.ended() {
		recovery.Do("telling of the end of a log's program", func() {
			if p.died != nil {
				p.died(strings.Join(p.argv, " "), err)
			}
		})
		time.Sleep(respawn)
		if p.ended() {
			break
		}
		if recovery.Do("starting a log's program again", func() { err = p.again() }) && err == nil {
			return
		}
	}
	close(p.done)
}

// ended notes that no program runs now, and tells whether none shall.
func (p *program) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = nil
	return p.over
}

func (p *program) descriptor() *os.File { return p.w }

// hurry keeps a write to a program that does not read from holding up Close.
func (p *program) hurry() { p.w.SetWriteDeadline(time.Now().Add(goodbye)) }

func (p *program) write(lines []byte) error {
	_, err := p.w.Write(lines)
	return err
}

// whole is how many bytes a pipe takes at once or not at all (POSIX PIPE_BUF, on Linux).
const whole = 4096

// now has the pipe take the lines if it has room for them.
func (p *program) now(lines []byte) (bool, error) {
	if len(lines) > whole {
		return false, nil
	}
	p.lines, p.wrote = lines, false
	err := p.raw.Write(p.once)
	p.lines = nil
	return p.wrote && err == nil, nil
}

// attempt writes once. The end of the pipe does not block, being a pipe of Go's own making.
func (p *program) attempt(fd uintptr) bool {
	n, err := syscall.Write(int(fd), p.lines)
	p.wrote = err == nil && n == len(p.lines)
	return true
}

// close gives the program the end of its input and a moment to work off what it has; one that
// stays is terminated, not waited for.
func (p *program) close() error {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.r.Close()
	err := p.w.Close()
	select {
	case <-p.done:
	case <-time.After(goodbye):
		recovery.Go("ending a log's program", p.kill)
	}
	return err
}

func (p *program) kill() {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		p.mu.Lock()
		if p.cmd != nil {
			p.cmd.Process.Signal(sig)
		}
		p.mu.Unlock()
		select {
		case <-p.done:
			return
		case <-time.After(lastWord):
		}
	}
}
