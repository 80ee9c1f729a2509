package sink

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"balancerd/proxy/recovery"
)

// Options say how the targets of a Set behave.
type Options struct {
	Root    string        // ServerRoot: relative names and the programs' directory
	Program string        // the server's own name, the default tag in the system's log
	Delay   time.Duration // how long a line may wait for company; 0: none, see Append; 10 ms for a target that may have to wait

	// Report is told of lines that are being dropped, while it happens, and of a write that failed; nil is
	// fine. It is called at most once a second a log, but for the end, and must not use the log it is told of.
	Report func(name string, lost int64, err error)
	// Resumed is told that a log takes lines again after so many were dropped; nil is fine. It may use that log.
	Resumed func(name string, lost int64)
	// Died is told that a program that was started here ended by itself and is started again; nil is fine.
	Died func(program string, err error)
	// Open opens a file by its absolute path, or gives the end of a pipe to a program by its name as
	// Set.Open takes it: where another process opens logs and runs programs. nil: it is done here.
	Open func(target string) (*os.File, error)
}

const usualDelay = 10 * time.Millisecond

// Set is the targets of one load. Two servers that name the same target share it.
type Set struct {
	o Options

	mu   sync.Mutex // guards logs
	logs map[string]*Log
}

// NewSet makes an empty set.
func NewSet(o Options) *Set { return &Set{o: o, logs: map[string]*Log{}} }

// Piped reports whether a target's name is a program to be started.
func Piped(name string) bool { return strings.HasPrefix(name, "|") }

// Path is a file's name made absolute.
func (s *Set) Path(name string) string { return absolute(s.o.Root, name) }

func absolute(root, name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	return filepath.Clean(name)
}

// Open opens a file for appending, or starts a program: "|cmd" and "||cmd" directly, "|$cmd" by
// the shell (httpd: log.c ap_open_piped_log). The error is the operating system's.
func (s *Set) Open(name string) (*Log, error) {
	path := name
	open := s.pipe
	if !Piped(name) {
		path, open = s.Path(name), s.file
	}
	return s.share(path, func() (*Log, error) {
		to, err := open(path)
		if err != nil {
			return nil, err
		}
		return newLog(name, to, s.o.Delay, s.o.Report, s.o.Resumed), nil
	})
}

func (s *Set) file(path string) (target, error) {
	open := OpenFile
	if s.o.Open != nil {
		open = s.o.Open
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	return newFile(f), nil
}

// pipe is the way to a program, which is started here unless another process runs it.
func (s *Set) pipe(name string) (target, error) {
	if s.o.Open != nil {
		w, err := s.o.Open(name)
		if err != nil {
			return nil, err
		}
		return newPipe(w, nil)
	}
	p, err := StartProgram(name, s.o.Root, os.Stdout, os.Stderr, s.o.Died)
	if err != nil {
		return nil, err
	}
	return newPipe(p.Input(), p)
}

// OpenSyslog opens the system's log: "syslog", "syslog:facility", "syslog:facility:tag" or
// "syslog::tag" (httpd: log.c open_error_log). The facility is local7 unless named.
func (s *Set) OpenSyslog(name string) (*Log, error) {
	return s.share(name, func() (*Log, error) {
		facility, tag, ok := parseSyslog(name, s.o.Program)
		if !ok {
			return nil, fmt.Errorf("unknown facility in %s", name)
		}
		l := newLog(name, &syslog{facility: facility, tag: tag}, s.o.Delay, s.o.Report, s.o.Resumed)
		l.syslog = true
		return l, nil
	})
}

func (s *Set) share(key string, open func() (*Log, error)) (*Log, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.logs[key]; l != nil {
		return l, nil
	}
	l, err := open()
	if err == nil {
		s.logs[key] = l
	}
	return l, err
}

// Close closes all logs; the programs get the end of their input.
func (s *Set) Close() { s.each(func(l *Log) { l.Close() }) }

// each calls do for all logs at once, and waits for them but not for ever: a target that is stuck
// must keep neither the others' lines nor the server's end.
func (s *Set) each(do func(*Log)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all sync.WaitGroup
	for _, l := range s.logs {
		all.Go(func() { recovery.Do("seeing to a log", func() { do(l) }) })
	}
	done := make(chan struct{})
	recovery.Go("waiting for logs", func() { defer close(done); all.Wait() })
	select {
	case <-done:
	case <-time.After(3 * exitWait):
	}
}

// OpenError is a log that could not be opened, in the words of httpd's start: the server then says
// "AH00015: Unable to open logs" and ends.
type OpenError struct{ Message string }

func (e *OpenError) Error() string { return e.Message }
