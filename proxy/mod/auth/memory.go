package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// memory remembers for a while that a password fitted a hash, because a good hash takes milliseconds.
// It holds keyed digests, never a password, and nothing of passwords that did not fit. When the
// hash in the file changes, what was remembered for the old one no longer counts. Safe for use by many.
type memory struct {
	key [32]byte

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time // bounded by maxRemembered
}

const (
	maxRemembered = 4096
	rememberFor   = 5 * time.Minute
)

func newMemory() *memory {
	m := &memory{until: map[[sha256.Size]byte]time.Time{}}
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
	t, ok := m.until[d]
	return ok && time.Now().Before(t)
}

func (m *memory) keep(d [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.until) >= maxRemembered {
		m.forget()
	}
	m.until[d] = time.Now().Add(rememberFor)
}

// forget drops what is old, or everything when nothing is.
func (m *memory) forget() {
	now := time.Now()
	for d, t := range m.until {
		if now.After(t) {
			delete(m.until, d)
		}
	}
	if len(m.until) >= maxRemembered {
		clear(m.until)
	}
}
