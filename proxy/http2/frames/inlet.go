package frames

import (
	"sync"

	"balancerd/proxy/internal/poison"
)

// Inlet is what has come of a body and was not read, in pieces of memory that are there only while bytes are in them.
// The zero value is empty.
type Inlet struct {
	first, last *piece
	r, w        int // where first is read, and last is written
	n           int // bytes that are here
}

// piece is memory for as many bytes as go into a DATA frame of ours.
type piece struct {
	b    [MaxData]byte
	next *piece
}

var pieces = sync.Pool{New: func() any { return new(piece) }}

// Held is what is here, or its beginning.
func (n *Inlet) Held() []byte {
	switch {
	case n.first == nil:
		return nil
	case n.first == n.last:
		return n.first.b[n.r:n.w]
	}
	return n.first.b[n.r:]
}

// Unread is how much is here.
func (n *Inlet) Unread() int { return n.n }

// Keep takes in bytes. Who has seen earlier ones by Held may still be looking at them: they stay where they are.
func (n *Inlet) Keep(p []byte) {
	n.n += len(p)
	for len(p) > 0 {
		if n.last == nil || n.w == MaxData {
			n.grow()
		}
		k := copy(n.last.b[n.w:], p)
		n.w += k
		p = p[k:]
	}
}

// grow adds a piece.
func (n *Inlet) grow() {
	more := pieces.Get().(*piece)
	if n.last == nil {
		n.first = more
	} else {
		n.last.next = more
	}
	n.last, n.w = more, 0
}

// Discard takes k bytes as read, at most those that are here. Nobody looks at them any more.
func (n *Inlet) Discard(k int) {
	n.n -= k
	for k > 0 {
		held := len(n.Held())
		if k < held {
			n.r += k
			return
		}
		k -= held
		n.shift()
	}
}

// shift gives the first piece back.
func (n *Inlet) shift() {
	over := n.first
	n.first, n.r = over.next, 0
	if n.first == nil {
		n.last = nil
	}
	over.next = nil
	poison.Bytes(over.b[:])
	poison.Put(&pieces, over)
}

// Drop forgets what is here.
func (n *Inlet) Drop() {
	for n.first != nil {
		n.shift()
	}
	n.n = 0
}
