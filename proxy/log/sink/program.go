package sink

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"balancerd/proxy/recovery"
)

const (
	respawn  = time.Second     // before a program that ended is started again
	exitWait = time.Second     // how long Close waits for a program to end by itself
	killWait = 3 * time.Second // between TERM and KILL
)

// Program is a running log program. Both ends of its pipe stay open here, so that lines it did not
// read go to its successor (httpd: log.c piped_log_spawn). A program that ends by itself is started
// again after a second.
type Program struct {
	argv []string
	dir  string
	died func(program string, err error)
	r, w *os.File
	out  *os.File // its standard output; nil: none
	errs *os.File // its standard error

	mu   sync.Mutex // guards what follows
	cmd  *exec.Cmd  // nil between a death and the next start
	over bool       // Close was called

	done chan struct{} // closed when the program ended after Close
}

// StartProgram starts the program that a target names: "|cmd" and "||cmd" directly, "|$cmd" by the
// shell. It runs in dir and writes to out and errs, which stay the caller's, and nowhere where they are nil. died is told
// that it ended by itself; nil is fine. The error is the operating system's.
func StartProgram(target, dir string, out, errs *os.File, died func(program string, err error)) (*Program, error) {
	p := &Program{argv: commandOf(target), dir: dir, out: out, errs: errs, died: died, done: make(chan struct{})}
	var err error
	if p.r, p.w, err = os.Pipe(); err != nil {
		return nil, err
	}
	if err := p.start(); err != nil {
		p.r.Close()
		p.w.Close()
		return nil, err
	}
	return p, nil
}

// Input is the end of the pipe that takes lines. It does not block, and belongs to the program: Close
// closes it.
func (p *Program) Input() *os.File { return p.w }

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
func (p *Program) start() error {
	if len(p.argv) == 0 {
		return syscall.ENOENT
	}
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Stdin = p.dir, p.r
	if p.out != nil {
		cmd.Stdout = p.out
	}
	if p.errs != nil {
		cmd.Stderr = p.errs
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.mu.Lock()
	p.cmd = cmd
	p.mu.Unlock()
	recovery.Go("waiting for the end of a log's program", func() { p.wait(cmd) })
	return nil
}

func (p *Program) wait(cmd *exec.Cmd) {
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
		if recovery.Do("starting a log's program again", func() { err = p.start() }) && err == nil {
			return
		}
	}
	close(p.done)
}

// ended notes that no program runs now, and reports whether none shall.
func (p *Program) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = nil
	return p.over
}

// Close gives the program the end of its input, as far as this process has it, and a moment to work off
// what it has; one that stays is terminated, not waited for.
func (p *Program) Close() error {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.r.Close()
	err := p.w.Close()
	select {
	case <-p.done:
	case <-time.After(exitWait):
		recovery.Go("ending a log's program", p.kill)
	}
	return err
}

func (p *Program) kill() {
	for _, sig := range []os.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		p.mu.Lock()
		if p.cmd != nil {
			p.cmd.Process.Signal(sig)
		}
		p.mu.Unlock()
		select {
		case <-p.done:
			return
		case <-time.After(killWait):
		}
	}
}
