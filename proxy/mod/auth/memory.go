package auth

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// memory remembers for a while that a password fitted a hash, because a good hash takes milliseconds.
// It holds keyed digests, never a password, and nothing of passwords that did not fit. When the
// hash in the file changes, what was remembered for the old one no longer counts. Of too many, the one that
// was not asked for longest is forgotten. Safe for use by many.
type memory struct {
	key [32]byte

	mu    sync.Mutex // guards what follows
	known map[[sha256.Size]byte]*list.Element
	used  list.List // of remembered, the last one used in front
}

type remembered struct {
	digest [sha256.Size]byte
	until  time.Time
}

const (
	maxRemembered = 16384
	rememberFor   = 5 * time.Minute
)

func newMemory() *memory {
	m := &memory{known: map[[sha256.Size]byte]*list.Element{}}
	rand.Read(m.key[:])
	return m
}

func (m *memory) digest(hash, password string) (out [sha256.Size]byte) {
	h := hmac.New(sha256.New, m.key[:])
	h.Write([]byte(hash))
	h.Write([]byte{0})
	h.Write([]byte(password))
	h.Sum(out[:0])
	return out
}

func (m *memory) knows(d [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.known[d]
	if e == nil {
		return false
	}
	if time.Now().After(e.Value.(*remembered).until) {
		m.drop(e)
		return false
	}
	m.used.MoveToFront(e)
	return true
}

func (m *memory) keep(d [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.known[d]; e != nil {
		m.drop(e)
	}
	if m.used.Len() >= maxRemembered {
		m.drop(m.used.Back())
	}
	m.known[d] = m.used.PushFront(&remembered{d, time.Now().Add(rememberFor)})
}

func (m *memory) drop(e *list.Element) {
	m.used.Remove(e)
	delete(m.known, e.Value.(*remembered).digest)
}
