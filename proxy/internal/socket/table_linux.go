package socket

import (
	"sync"
	"sync/atomic"
)

// table finds an Fd by its descriptor.
type table struct {
	mu    sync.Mutex
	pages [1 << 10]atomic.Pointer[tablePage]
}

// most is how many descriptors the table has room for.
const most = 1 << 20

type tablePage [1 << 10]atomic.Pointer[Fd]

func (t *table) get(n int32) *Fd {
	p := t.pages[n>>10].Load()
	if p == nil {
		return nil
	}
	return p[n&(1<<10-1)].Load()
}

func (t *table) set(n int32, f *Fd) {
	p := t.pages[n>>10].Load()
	if p == nil {
		p = t.grow(n)
	}
	p[n&(1<<10-1)].Store(f)
}

func (t *table) grow(n int32) *tablePage {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pages[n>>10].Load()
	if p == nil {
		p = new(tablePage)
		t.pages[n>>10].Store(p)
	}
	return p
}
