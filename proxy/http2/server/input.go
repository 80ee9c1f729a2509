package server

import (
	"golang.org/x/net/http2"
)

// input is what was received of a connection, and what reads frames of it: a connection has one only while bytes of
// a frame are there. Owned by who serves the connection.
type input struct {
	fr   *http2.Framer
	b    [inputSize]byte
	r, w int // of b, what is not used yet

	spoiled bool // its Framer may be in the middle of a header block: it is not used again
}

// inputSize is two frames of the largest size.
const inputSize = 2 * (mostFrame + frameHead)

func newInput() *input {
	in := &input{}
	in.fr = http2.NewFramer(nil, (*unread)(in))
	in.fr.SetMaxReadFrameSize(mostFrame)
	in.fr.SetReuseFrames()
	return in
}

// unread is an input as its Framer reads it: only frames that are here whole are read.
type unread input

// Read takes what is here.
func (u *unread) Read(p []byte) (int, error) {
	n := copy(p, u.b[u.r:u.w])
	u.r += n
	return n, nil
}

// have is what is not used yet.
func (in *input) have() []byte { return in.b[in.r:in.w] }

// room is where more is received. There is some as long as whole frames are taken out.
func (in *input) room() []byte {
	if in.r > 0 {
		in.w = copy(in.b[:], in.have())
		in.r = 0
	}
	return in.b[in.w:]
}

// whole reports whether a frame can be read without more bytes: it is here, or too long to be read at all.
func (in *input) whole() bool {
	p := in.have()
	if len(p) < frameHead {
		return false
	}
	n := int(p[0])<<16 | int(p[1])<<8 | int(p[2])
	return n > mostFrame || len(p) >= frameHead+n
}
