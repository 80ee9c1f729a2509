package cache

import (
	"container/list"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/recovery"
)

// queueMost is how many bytes may wait to be written; what comes then is not kept.
const queueMost = 64 << 20

// folder is where a Store's bodies are, with who writes them: one goroutine, while there is something to do. What it does
// is done in order.
type folder struct {
	root   *os.Root
	report func(error)     // is told, once a minute, that writing fails
	fresh  map[string]bool // files made since scan began; nil: it is over. The writer's

	mu      sync.Mutex
	jobs    []func()
	running bool
	waiting atomic.Int64 // bytes of bodies in jobs
	told    atomic.Int64 // when it was told last that writing fails, in nanoseconds

	hotMu sync.Mutex
	hot   list.List // of *Entry whose body is in memory as well, the last one that came in at the front
	bytes int64     // of their bodies
}

// Short bodies that were asked for are kept in memory beside their files, up to hotMost bytes in all.
const (
	hotBody = 32 << 10
	hotMost = 32 << 20
)

// warm keeps a body in memory that was read from b, and gives others up for it. It is the body from now on.
func (d *folder) warm(e *Entry, b *body, text []byte) *body {
	next := &body{text: text, file: b.file, from: b.from, sound: true}
	if !e.body.CompareAndSwap(b, next) {
		return next // another one, of the same bytes, is kept
	}
	d.hotMu.Lock()
	defer d.hotMu.Unlock()
	d.hot.PushFront(e)
	for d.bytes += e.Length; d.bytes > hotMost; {
		old := d.hot.Remove(d.hot.Back()).(*Entry)
		d.bytes -= old.Length
		if b := old.body.Load(); b.file != "" {
			old.body.CompareAndSwap(b, &body{file: b.file, from: b.from, sound: b.sound})
		}
	}
	return next
}

// do has f done behind what was asked for before.
func (d *folder) do(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.jobs = append(d.jobs, f)
	if !d.running {
		d.running = true
		recovery.Go("cache writer", d.work)
	}
}

func (d *folder) work() {
	for {
		d.mu.Lock()
		if len(d.jobs) == 0 {
			d.running, d.jobs = false, nil
			d.mu.Unlock()
			return
		}
		job := d.jobs[0]
		d.jobs[0] = nil
		d.jobs = d.jobs[1:]
		d.mu.Unlock()
		recovery.Do("cache write", job)
	}
}

// tellAgain is how long it is not told again that writing fails.
const tellAgain = time.Minute

// tell tells that writing fails.
func (d *folder) tell(err error) {
	now, last := time.Now().UnixNano(), d.told.Load()
	if (last == 0 || now-last >= int64(tellAgain)) && d.told.CompareAndSwap(last, now) && d.report != nil {
		d.report(err)
	}
}

// written notes how the writer's write went of what has n bytes, for which a full disk is given room, and reports whether it
// went well.
func (d *folder) written(s *Store, n int64, err error) bool {
	if err == nil {
		return true
	}
	d.tell(err)
	if isFull(err) {
		s.makeRoom(n)
	}
	return false
}

// isFull reports whether a write failed for want of space.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// nameOf is the file of an entry: of its key and variant.
func nameOf(e *Entry) string {
	sum := sha256.Sum256([]byte(e.Key + "\x00" + e.variant()))
	name := hex.EncodeToString(sum[:16])
	return name[:2] + "/" + name + headSuffix
}

const (
	headSuffix = ".answer"
	bodySuffix = ".body"
	newSuffix  = ".new"
)

// keep writes an entry's head, and a body that is in memory, and lets the body be read from there. What cannot be written is
// not kept.
func (d *folder) keep(s *Store, e *Entry) {
	b := e.body.Load()
	size := int64(len(b.text))
	if d.waiting.Add(size) > queueMost {
		d.waiting.Add(-size)
		d.tell(errors.New("more is to be written than the disk takes"))
		s.Remove(e)
		return
	}
	d.do(func() {
		defer d.waiting.Add(-size)
		if s.keeps(e) && !d.written(s, size, d.write(e, b)) {
			s.Remove(e)
		}
	})
}

// write makes the file of an entry.
func (d *folder) write(e *Entry, b *body) error {
	own := ""
	text := b.text
	if b.file != "" && path.Ext(b.file) == bodySuffix {
		own = b.file
	} else if text == nil && b.file != "" { // the body is in the former file of the head
		var err error
		if text, err = d.readSound(e, b); err != nil {
			return err
		}
	}
	head, err := encode(e, own)
	if err != nil {
		return err
	}
	name := nameOf(e)
	f, err := d.create(name + newSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(append(head, text...))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.root.Rename(name+newSuffix, name)
	}
	if err != nil {
		d.root.Remove(name + newSuffix)
	}
	if err == nil && own == "" && !e.HeadOnly {
		d.kept(e, b, &body{file: name, from: int64(len(head)), sound: true}, text)
	}
	return err
}

// kept notes where the body of an entry, which was b, can be read from now on; a short one stays in memory for a while.
func (d *folder) kept(e *Entry, b, now *body, text []byte) {
	if !e.body.CompareAndSwap(b, now) {
		e.body.Store(now)
	}
	if len(text) > 0 && len(text) <= hotBody {
		d.warm(e, now, text)
	}
}

// readSound is the body, held against its checksum.
func (d *folder) readSound(e *Entry, b *body) ([]byte, error) {
	text, err := d.read(b, e.Length)
	if err == nil && !b.stays() && crc32.Checksum(text, castagnoli) != e.sum {
		err = errBroken
	}
	return text, err
}

func (d *folder) read(b *body, n int64) ([]byte, error) {
	f, err := d.root.Open(b.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := make([]byte, n)
	_, err = f.ReadAt(text, b.from)
	return text, err
}

// create makes a file, and the folder that it is in. What is there under that name is what a crash has left.
func (d *folder) create(name string) (*os.File, error) {
	if d.fresh != nil {
		d.fresh[strings.TrimSuffix(name, newSuffix)] = true
	}
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := d.root.OpenFile(name, flags, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err = d.root.Mkdir(path.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	case errors.Is(err, fs.ErrExist):
		d.root.Remove(name)
	default:
		return f, err
	}
	return d.root.OpenFile(name, flags, 0o600)
}

// open opens the file that holds an entry's body, and holds it against its checksum once.
func (d *folder) open(e *Entry, b *body) (*os.File, error) {
	f, err := d.root.OpenFile(b.file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() || fi.Size() < b.from+e.Length {
		f.Close()
		return nil, errBroken
	}
	if b.stays() {
		return f, nil
	}
	sum := crc32.New(castagnoli)
	n, err := io.Copy(sum, io.NewSectionReader(f, b.from, e.Length))
	if err != nil || n != e.Length || sum.Sum32() != e.sum {
		f.Close()
		return nil, errBroken
	}
	e.body.CompareAndSwap(b, &body{file: b.file, from: b.from, sound: true})
	return f, nil
}

// erase removes the files of entries, but for those that next has, too.
func (d *folder) erase(gone []*Entry, next *Entry) {
	d.do(func() { d.removeAll(gone, next) })
}

// removeAll is erase, by the writer.
func (d *folder) removeAll(gone []*Entry, next *Entry) {
	for _, e := range gone {
		b := e.body.Load()
		if next == nil || nameOf(e) != nameOf(next) {
			d.root.Remove(nameOf(e))
		}
		if path.Ext(b.file) == bodySuffix && (next == nil || next.body.Load().file != b.file) {
			d.root.Remove(b.file)
		}
	}
}

// spill is a long body that is written while it passes.
type spill struct {
	d    *folder
	of   *Store
	name string
	f    *os.File // the writer's
	n    int64    // bytes that it has; the writer's
	err  error    // the writer's
	bad  atomic.Bool
}

func (d *folder) begin(of *Store) *spill {
	name := rand.Text()
	s := &spill{d: d, of: of, name: name[:2] + "/" + name + bodySuffix}
	d.do(func() {
		s.f, s.err = d.create(s.name)
		s.note()
	})
	return s
}

func (s *spill) note() {
	if !s.d.written(s.of, s.n, s.err) {
		s.bad.Store(true)
	}
}

// write has p written, which is the writer's from now on. It reports whether that makes sense.
func (s *spill) write(p []byte) bool {
	size := int64(len(p))
	if s.bad.Load() {
		return false
	}
	if s.d.waiting.Add(size) > queueMost {
		s.d.waiting.Add(-size)
		return false
	}
	s.d.do(func() {
		defer s.d.waiting.Add(-size)
		if s.err == nil {
			s.n += size
			_, s.err = s.f.Write(p)
			s.note()
		}
	})
	return true
}

// finish keeps the entry once its body, of which rest is the end, is written.
func (s *spill) finish(e *Entry, rest []byte) {
	if !s.write(rest) {
		s.bad.Store(true)
	}
	s.d.do(func() {
		if s.f != nil {
			if err := s.f.Close(); s.err == nil {
				s.err = err
				s.note()
			}
		}
		if s.err != nil || s.bad.Load() {
			s.d.root.Remove(s.name)
			return
		}
		b := &body{file: s.name, sound: true}
		e.body.Store(b)
		if !s.d.written(s.of, s.n, s.d.write(e, b)) {
			s.d.root.Remove(s.name)
			return
		}
		s.of.put(e)
	})
}

func (s *spill) drop() {
	s.d.do(func() {
		if s.f != nil {
			s.f.Close()
			s.d.root.Remove(s.name)
		}
	})
}
