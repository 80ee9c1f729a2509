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
	"balancerd/proxy/internal/filestamp"
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
	stamp   filestamp.Stamp
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
	r := c.of(name).current(x, filestamp.Of(info))
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
func (w *watched[T]) current(x *exchange.Exchange, now filestamp.Stamp) *reading[T] {
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
	case now.Size <= quickFile:
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
func (r *reading[T]) upToDate(now filestamp.Stamp) bool {
	if r.stamp == now && !r.again && !now.MayHide(r.began) {
		return true
	}
	if now.Size <= quickFile && !r.again {
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
			w.last.Store(&reading[T]{stamp: now, began: r.began, err: fmt.Errorf("it cannot be read: %v", p)})
		}
	}()
	gone := errors.Is(err, syscall.ENOENT) // just now: the next request will see
	switch {
	case old != nil && old.err == nil && (scarce(err) || gone):
		r.content, r.stamp, r.sum, r.again = old.content, old.stamp, old.sum, true
	case err != nil:
		r.stamp, r.err, r.again = now, bare(err), scarce(err)
	default:
		r.stamp, r.sum = now, sha256.Sum256(text)
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
func readWhole(name string) (text []byte, now filestamp.Stamp, err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not wait for its writer
	if err != nil {
		return nil, now, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, now, err
	}
	now = filestamp.Of(info)
	switch {
	case name == os.DevNull:
		return nil, now, nil
	case !info.Mode().IsRegular():
		return nil, now, errNotRegular
	case now.Size > maxUserFile:
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

// bare is the system's error without the operation and the name.
func bare(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
