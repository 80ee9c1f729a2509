package exchange

import (
	"strconv"
	"unsafe"

	"balancerd/proxy/internal/poison"
)

// Arena holds texts that are made while an exchange is under way (a joined header value, a mapped
// URL) without allocating for each. What it returns is valid until the exchange's Reset. The zero
// value is ready.
type Arena struct{ b []byte }

const (
	arenaChunk = 2048
	arenaKeep  = 16 << 10 // a larger chunk is not kept for the next exchange
)

// Reset forgets every text that was made.
func (a *Arena) Reset() {
	poison.Bytes(a.b)
	if cap(a.b) > arenaKeep {
		a.b = nil
	}
	a.b = a.b[:0]
}

// room makes place for n bytes. Older texts keep living in the chunk that they were made in.
func (a *Arena) room(n int) {
	if cap(a.b)-len(a.b) >= n {
		return
	}
	a.b = make([]byte, 0, max(arenaChunk, 2*cap(a.b), n))
}

// Join is the concatenation of the parts.
func (a *Arena) Join(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	a.room(n)
	start := len(a.b)
	for _, p := range parts {
		a.b = append(a.b, p...)
	}
	return view(a.b[start:])
}

// Bytes is a copy of b as text.
func (a *Arena) Bytes(b []byte) string {
	a.room(len(b))
	start := len(a.b)
	a.b = append(a.b, b...)
	return view(a.b[start:])
}

// Int is n in decimal.
func (a *Arena) Int(n int64) string {
	a.room(20)
	start := len(a.b)
	a.b = strconv.AppendInt(a.b, n, 10)
	return view(a.b[start:])
}

// Scratch is an empty slice with room for n bytes; give it to Keep when it is filled. Nothing else
// may be made in between.
func (a *Arena) Scratch(n int) []byte {
	a.room(n)
	return a.b[len(a.b):]
}

// Keep makes what was appended to Scratch's slice a text.
func (a *Arena) Keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if cap(a.b)-len(a.b) >= len(b) && unsafe.SliceData(b) == unsafe.SliceData(a.b[len(a.b):cap(a.b)]) {
		a.b = a.b[:len(a.b)+len(b)]
	}
	return view(b)
}

func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}
