package cache

import (
	"bytes"
	"hash/crc32"
)

// inline is up to which length a body is kept in the file of its head, or waits in memory until it is written.
const inline = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Recorder takes the body of an answer as it passes. It is owned by one goroutine at a time, and ends by Commit or by
// Abandon, one of which may be called any number of times.
type Recorder struct {
	s     *Store
	e     *Entry
	most  int64 // bytes that the body may have
	n     int64
	sum   uint32
	held  []byte
	spill *spill // the rest of a long body; nil: none yet
	over  bool
}

// Record begins to keep an answer with a body of at most most bytes. e.Length is what the body's length is going to
// be, or -1.
func (s *Store) Record(e *Entry, most int64) *Recorder { return &Recorder{s: s, e: e, most: most} }

// Write adds bytes of the body. It reports whether the answer can still be kept; it waits for no disk.
func (r *Recorder) Write(p []byte) bool {
	if r.over {
		return false
	}
	r.n += int64(len(p))
	if r.n > r.most || r.e.Length >= 0 && r.n > r.e.Length {
		r.Abandon()
		return false
	}
	r.sum = crc32.Update(r.sum, castagnoli, p)
	r.held = append(r.held, p...)
	if r.s.folder == nil || len(r.held) <= inline {
		return true
	}
	if r.spill == nil {
		r.spill = r.s.folder.begin(r.s)
	}
	if !r.spill.write(r.held) {
		r.Abandon()
		return false
	}
	r.held = nil
	return true
}

// Commit: the body was whole. least is how many bytes it must have (CacheMinFileSize). The answer is kept from now on,
// or a moment later if it is long.
func (r *Recorder) Commit(least int64) {
	if r.over {
		return
	}
	if !r.e.HeadOnly && (r.e.Length >= 0 && r.n != r.e.Length || r.n < least) {
		r.Abandon()
		return
	}
	r.over = true
	if r.e.sum = r.sum; !r.e.HeadOnly {
		r.e.Length = r.n
	}
	switch {
	case r.spill != nil:
		r.spill.finish(r.e, r.held)
	default:
		r.e.body.Store(&body{text: bytes.Clone(r.held), sound: true})
		r.s.put(r.e)
		if r.s.folder != nil {
			r.s.folder.keep(r.s, r.e)
		}
	}
	r.held = nil
}

// Abandon: the answer is not kept.
func (r *Recorder) Abandon() {
	if r.over {
		return
	}
	r.over = true
	r.held = nil
	if r.spill != nil {
		r.spill.drop()
	}
}

// Ends reports whether a body whose length was told beforehand is whole with n bytes more.
func (r *Recorder) Ends(n int) bool { return !r.over && r.e.Length >= 0 && r.n+int64(n) == r.e.Length }

// Full reports whether as much of the body has come as was told beforehand.
func (r *Recorder) Full() bool { return r.Ends(0) }
