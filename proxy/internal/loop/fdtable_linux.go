package loop

import (
	"sync"
	"sync/atomic"
)

// fdTable finds an Fd by its descriptor, without a lock.
type fdTable struct {
	mu    sync.Mutex
	pages [1 << 10]atomic.Pointer[fdPage]
}

// maxFds is how many descriptors the table has room for.
const maxFds = 1 << 20

type fdPage [1 << 10]atomic.Pointer[Fd]

func (t *fdTable) get(n int32) *Fd {
	p := t.pages[n>>10].Load()
	if p == nil {
		return nil
	}
	return p[n&(1<<10-1)].Load()
}

func (t *fdTable) set(n int32, f *Fd) {
	p := t.pages[n>>10].Load()
	if p == nil {
		p = t.grow(n)
	}
	p[n&(1<<10-1)].Store(f)
}

func (t *fdTable) grow(n int32) *fdPage {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pages[n>>10].Load()
	if p == nil {
		p = new(fdPage)
		t.pages[n>>10].Store(p)
	}
	return p
}
