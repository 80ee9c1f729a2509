package frames

import (
	"sync"

	"golang.org/x/net/http2"

	"balancerd/proxy/internal/poison"
)

// Input is what was received of a connection, and what reads frames of it: a connection has one only while bytes of a
// frame are there. Owned by who serves the connection.
type Input struct {
	fr   *http2.Framer
	b    [inputSize]byte
	r, w int // of b, what is not used yet

	spoiled bool // its Framer may be in the middle of a header block: it is not used again
}

// inputSize is two frames of the largest size.
const inputSize = 2 * (MaxPayload + HeadSize)

var inputs = sync.Pool{New: func() any { return newInput() }}

// GetInput is an empty one; Give gives it back.
func GetInput() *Input { return inputs.Get().(*Input) }

func newInput() *Input {
	in := &Input{}
	in.fr = http2.NewFramer(nil, (*unread)(in))
	in.fr.SetMaxReadFrameSize(MaxPayload)
	in.fr.SetReuseFrames()
	return in
}

// unread is an input as its Framer reads it: only frames that are here whole are read.
type unread Input

// Read takes what is here.
func (u *unread) Read(p []byte) (int, error) {
	n := copy(p, u.b[u.r:u.w])
	u.r += n
	return n, nil
}

// Have is what is not used yet.
func (in *Input) Have() []byte { return in.b[in.r:in.w] }

// Skip takes n bytes of that as used.
func (in *Input) Skip(n int) { in.r += n }

// Room is where more is received. There is some as long as whole frames are taken out.
func (in *Input) Room() []byte {
	if in.r > 0 {
		in.w = copy(in.b[:], in.Have())
		in.r = 0
	}
	return in.b[in.w:]
}

// Got notes that n bytes were received there.
func (in *Input) Got(n int) { in.w += n }

// Whole reports whether a frame can be read without more bytes: it is here, or too long to be read at all.
func (in *Input) Whole() bool {
	p := in.Have()
	if len(p) < HeadSize {
		return false
	}
	n := int(p[0])<<16 | int(p[1])<<8 | int(p[2])
	return n > MaxPayload || len(p) >= HeadSize+n
}

// Frame reads a frame that is Whole; it holds until the next one is read.
func (in *Input) Frame() (http2.Frame, error) { return in.fr.ReadFrame() }

// Drop passes over all that is here, in whatever state the frames were.
func (in *Input) Drop() { in.spoiled, in.r, in.w = true, 0, 0 }

// Give gives an empty one back.
func (in *Input) Give() {
	in.r, in.w = 0, 0
	if !in.spoiled {
		poison.Bytes(in.b[:])
		poison.Put(&inputs, in)
	}
}
