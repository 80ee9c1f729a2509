package tlsbuf

import (
	"bytes"
	"crypto/tls"
	"net"
	"sync"

	"balancerd/proxy/internal/poison"
)

// Of is the tls.Conn that a connection is which has shaken hands; nil for any other, for which Lend and TakeBack do
// nothing.
func Of(nc net.Conn) *tls.Conn {
	if c, ok := nc.(*tls.Conn); ok && known {
		return c
	}
	return nil
}

// Lend has c receive into a buffer of ours, unless it holds something already. What it returns is for TakeBack. Only who
// reads c may call it.
func Lend(c *tls.Conn) *bytes.Buffer {
	if c == nil {
		return nil
	}
	b := buffers.Get().(*bytes.Buffer)
	if in := rawInput.of(c); in.Cap() == 0 {
		*in, *b = *b, bytes.Buffer{}
	}
	return b
}

// TakeBack ends Lend, which has returned b: c holds no buffer any more. What c holds in part, or has not given yet, it
// keeps. Only who reads c may call it.
func TakeBack(c *tls.Conn, b *bytes.Buffer) {
	if c == nil || b == nil {
		return
	}
	if in := rawInput.of(c); in.Len() == 0 && input.of(c).Len() == 0 && hand.of(c).Len() == 0 {
		if in.Cap() > b.Cap() {
			*b = *in
		}
		*in, *hand.of(c) = bytes.Buffer{}, bytes.Buffer{}
		input.of(c).Reset(nil)
	}
	b.Reset()
	poison.Bytes(b.AvailableBuffer())
	poison.Put(&buffers, b)
}

// Holds reports whether c has received something that was not read.
func Holds(c *tls.Conn) bool { return rawInput.of(c).Len()+input.of(c).Len() > 0 }

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
