package cache

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"balancerd/proxy/exchange"
)

// Limits bound a Store. What was not asked for the longest time goes first.
type Limits struct {
	Bytes   int64 // heads and bodies
	Entries int
	Heads   int64 // heads, which are in memory wherever bodies are
}

// Variants is how many answers are kept under one key.
const Variants = 64

// Store keeps answers. Its methods may be called by any goroutine.
type Store struct {
	limits Limits
	folder *folder // nil: bodies are in memory

	mu      sync.Mutex
	byKey   map[string][]*Entry // the newest first
	recency list.List           // of *Entry, the one that was asked for last at the front
	bytes   int64
	heads   int64
	locks   map[string]time.Time // keys that somebody asks a member for, and since when
}

// NewMemory makes a Store whose bodies are in memory.
func NewMemory(l Limits) *Store { return newStore(l, nil) }

func newStore(l Limits, f *folder) *Store {
	return &Store{limits: l, folder: f, byKey: map[string][]*Entry{}, locks: map[string]time.Time{}}
}

// Lookup is the answer that is kept under key for a request with these fields; nil for none. get: the request wants a body.
func (s *Store) Lookup(key string, request *exchange.Header, get bool) *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.byKey[key] {
		if e.Fits(request) && !(e.HeadOnly && get) && (e.Until.IsZero() || time.Now().Before(e.Until)) {
			s.recency.MoveToFront(e.place)
			return e
		}
	}
	return nil
}

// put keeps an answer in the place of that of the same variant. When it varies by other fields than the former ones,
// these go (httpd: mod_cache_disk.c store_headers).
func (s *Store) put(e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(e)
}

// add is put, under mu.
func (s *Store) add(e *Entry) {
	e.size = e.HeadSize() + max(e.Length, 0)
	if e.HeadOnly {
		e.size = e.HeadSize()
	}
	if e.size > s.limits.Bytes { // it would push out all others
		s.erase([]*Entry{e}, nil)
		return
	}
	var gone []*Entry
	for _, o := range s.byKey[e.Key] {
		if !e.varies(o) || e.sameVariant(o) {
			gone = append(gone, o)
		}
	}
	for _, o := range gone {
		s.drop(o)
	}
	s.byKey[e.Key] = slices.Insert(s.byKey[e.Key], 0, e)
	e.place = s.recency.PushFront(e)
	s.bytes += e.size
	s.heads += e.HeadSize()
	if l := s.byKey[e.Key]; len(l) > Variants {
		gone = append(gone, l[len(l)-1])
		s.drop(l[len(l)-1])
	}
	gone = append(gone, s.shrink()...)
	s.erase(gone, e)
}

// shrink drops what is beyond the limits. Under mu.
func (s *Store) shrink() (gone []*Entry) {
	for s.full() {
		e := s.recency.Back().Value.(*Entry)
		s.drop(e)
		gone = append(gone, e)
	}
	return gone
}

// Limit changes the bounds.
func (s *Store) Limit(l Limits) {
	s.mu.Lock()
	s.limits = l
	s.erase(s.shrink(), nil)
	s.mu.Unlock()
}

// makeRoom drops what was not asked for the longest time, at least n bytes and a sixteenth of all: the disk is full, whoever
// fills it. The writer calls it.
func (s *Store) makeRoom(n int64) {
	s.mu.Lock()
	goal := s.bytes - max(n, s.bytes/16)
	var gone []*Entry
	for s.recency.Len() > 0 && s.bytes > goal {
		e := s.recency.Back().Value.(*Entry)
		s.drop(e)
		gone = append(gone, e)
	}
	s.mu.Unlock()
	s.folder.removeAll(gone, nil)
}

func (s *Store) full() bool {
	return s.recency.Len() > 0 && (s.bytes > s.limits.Bytes || s.recency.Len() > s.limits.Entries || s.heads > s.limits.Heads)
}

// drop takes an entry out of the index. Under mu.
func (s *Store) drop(e *Entry) {
	if e.place == nil {
		return
	}
	s.recency.Remove(e.place)
	e.place = nil
	s.bytes -= e.size
	s.heads -= e.HeadSize()
	if l := slices.DeleteFunc(s.byKey[e.Key], func(o *Entry) bool { return o == e }); len(l) > 0 {
		s.byKey[e.Key] = l
	} else {
		delete(s.byKey, e.Key)
	}
}

// erase removes the files of entries that are gone, but for those that next has in common with them. Under mu: what takes
// their place is written behind it.
func (s *Store) erase(gone []*Entry, next *Entry) {
	if s.folder != nil && len(gone) > 0 {
		s.folder.erase(gone, next)
	}
}

// keeps reports whether an entry is in the index.
func (s *Store) keeps(e *Entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.place != nil
}

// Remove forgets an answer.
func (s *Store) Remove(e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.place != nil {
		s.drop(e)
		s.erase([]*Entry{e}, nil)
	}
}

// Invalidate forgets all answers under key: something was changed there (RFC 9111 section 4.4).
func (s *Store) Invalidate(key string) {
	s.mu.Lock()
	gone := slices.Clone(s.byKey[key])
	for _, e := range gone {
		s.drop(e)
	}
	s.erase(gone, nil)
	s.mu.Unlock()
}

// Refresh puts an answer with a newer head, made by Entry.Refreshed, in the place of the former one.
func (s *Store) Refresh(e *Entry) {
	s.put(e)
	if s.folder != nil {
		s.folder.keep(s, e)
	}
}

// Lock lets one request at a time ask a member for what key stands for (CacheLock). It reports whether the
// caller is the one; the others are not until Unlock, or until the lock is older than age.
func (s *Store) Lock(key string, age time.Duration) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if since, held := s.locks[key]; held && now.Sub(since) <= age {
		return false
	}
	s.locks[key] = now
	return true
}

// Unlock gives a lock back.
func (s *Store) Unlock(key string) {
	s.mu.Lock()
	delete(s.locks, key)
	s.mu.Unlock()
}

// Len is how many answers are kept, and Size how many bytes they take.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recency.Len()
}

// Size is said at Len.
func (s *Store) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}
