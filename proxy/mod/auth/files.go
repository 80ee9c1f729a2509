package auth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// files are the user and group files of one load of the configuration. Safe for use by many.
type files struct {
	passwords cache[passwordTable]
	digests   cache[digestTable]
	groups    cache[groupTable]
}

func newFiles() *files {
	f := &files{}
	f.passwords.parse, f.digests.parse, f.groups.parse = parsePasswords, parseDigests, parseGroups
	return f
}

const (
	maxUserFile = 64 << 20 // bytes; a larger file is an error, which is told
	quickFile   = 64 << 10 // up to so many bytes a request waits until a changed file was read
	readPause   = 50 * time.Millisecond
)

// cache is files that are read again when they change, each by one goroutine at a time: beside the event
// loops, and what was read before serves meanwhile. Names come from the configuration and bound it.
type cache[T any] struct {
	parse func(lines []string) T

	mu    sync.Mutex // guards named
	named map[string]*watched[T]
}

// watched is one file.
type watched[T any] struct {
	name  string
	parse func(lines []string) T
	last  atomic.Pointer[reading[T]] // nil: it has not been read yet

	busy sync.Mutex // held by who reads
}

// reading is what was read of a file, or why it cannot be read. Immutable.
type reading[T any] struct {
	content T
	err     error
	facts   facts
	sum     [sha256.Size]byte // of the file's bytes
	began   time.Time
	took    time.Duration
	again   bool // the file could not be looked at
}

// get is a file's content. The error is the system's, without operation and name.
func (c *cache[T]) get(x *exchange.Exchange, name string) (T, error) {
	info, err := os.Stat(name)
	if err != nil {
		var none T
		return none, bare(err)
	}
	r := c.of(name).current(x, factsOf(info))
	return r.content, r.err
}

func (c *cache[T]) of(name string) *watched[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.named[name]
	if w == nil {
		if c.named == nil {
			c.named = map[string]*watched[T]{}
		}
		w = &watched[T]{name: name, parse: c.parse}
		c.named[name] = w
	}
	return w
}

// current is the reading that serves a request which found the file as now says.
func (w *watched[T]) current(x *exchange.Exchange, now facts) *reading[T] {
	r := w.last.Load()
	switch {
	case r == nil:
		x.Block()
		w.busy.Lock()
		if w.last.Load() == nil {
			w.read()
		}
		w.busy.Unlock()
	case r.upToDate(now), !w.busy.TryLock():
		return r
	case now.size <= quickFile:
		x.Block()
		w.read()
		w.busy.Unlock()
	default:
		recovery.Go("reading a file of users or groups", func() {
			defer w.busy.Unlock()
			w.read()
		})
		return r
	}
	return w.last.Load()
}

// upToDate reports whether the file need not be read again. One that changed within the same tick of the
// file system's clock as it was read may hold something else and look the same.
func (r *reading[T]) upToDate(now facts) bool {
	if r.facts == now && !r.again && r.began.UnixNano()-now.changed >= now.tick() {
		return true
	}
	if now.size <= quickFile && !r.again {
		return false
	}
	return time.Since(r.began) < max(readPause, 10*r.took) // however often it changes, a tenth of a processor
}

// read reads the file. Under w.busy.
func (w *watched[T]) read() {
	old := w.last.Load()
	r := &reading[T]{began: time.Now()}
	text, now, err := readWhole(w.name)
	defer func() {
		if p := recover(); p != nil { // of parse, on a goroutine of its own perhaps
			w.last.Store(&reading[T]{facts: now, began: r.began, err: fmt.Errorf("it cannot be read: %v", p)})
		}
	}()
	gone := errors.Is(err, syscall.ENOENT) // just now: the next request will see
	switch {
	case old != nil && old.err == nil && (scarce(err) || gone):
		r.content, r.facts, r.sum, r.again = old.content, old.facts, old.sum, true
	case err != nil:
		r.facts, r.err, r.again = now, bare(err), scarce(err)
	default:
		r.facts, r.sum = now, sha256.Sum256(text)
		if old != nil && old.err == nil && old.sum == r.sum {
			r.content = old.content
		} else {
			r.content = w.parse(lines(string(text)))
		}
	}
	r.took = time.Since(r.began)
	w.last.Store(r)
}

// readWhole is a file's bytes and what the file was before they were read: who writes to it meanwhile has it
// read again.
func readWhole(name string) (text []byte, now facts, err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not wait for its writer
	if err != nil {
		return nil, now, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, now, err
	}
	now = factsOf(info)
	switch {
	case name == os.DevNull:
		return nil, now, nil
	case !info.Mode().IsRegular():
		return nil, now, errNotRegular
	case now.size > maxUserFile:
		return nil, now, syscall.EFBIG
	}
	text, err = io.ReadAll(io.LimitReader(f, maxUserFile))
	return text, now, err
}

// errNotRegular is for pipes, folders and devices (httpd: util.c ap_pcfg_openfile).
var errNotRegular error = syscall.EBADF

// scarce reports whether an error says more of this server than of the file.
func scarce(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// facts are what tells two states of a file apart.
type facts struct {
	size, modified, changed int64 // bytes; nanoseconds since the epoch
	device, inode           uint64
}

func factsOf(info os.FileInfo) facts {
	f := facts{size: info.Size(), modified: info.ModTime().UnixNano()}
	f.changed = f.modified
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		f.device, f.inode, f.changed = uint64(st.Dev), st.Ino, changeTime(st)
	}
	return f
}

// tick is how many nanoseconds two changes may lie apart and look like one: file systems count in the
// kernel's ticks, old ones in seconds.
func (f facts) tick() int64 {
	if f.changed%int64(time.Millisecond) == 0 {
		return int64(2 * time.Second)
	}
	return int64(20 * time.Millisecond)
}

// bare is the system's error without the operation and the name.
func bare(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
