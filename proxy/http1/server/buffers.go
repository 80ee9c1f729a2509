package server

import (
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// Sizes of buffers. Only pages that were written to count as memory in use.
const (
	inSize    = 32 << 10 // a request's head and the beginning of its body
	outSize   = 8 << 10  // an answer's head, and a small body with it
	pieceSize = 16 << 10
	bulkSize  = 64 << 10
	minRoom   = 4 << 10 // less room for reading a body is none
)

// requestBuffers is what an exchange needs. A connection has one only while bytes of a request are there.
// Owned by the goroutine that serves the connection.
type requestBuffers struct {
	x     exchange.Exchange
	req   wire.Request
	buf   []byte        // received
	r, w  int           // of it, what is not used yet
	scan  wire.HeadScan // how much of an incomplete head was looked at
	read  int64         // bytes of the request, head and body
	body  body
	frame frame
	way   delivery
	out   []byte // what is to be sent next
	own   []byte // out's storage
	large *bulk  // in its place, for a large head
	in    []byte // buf's storage
	spare []byte // for interim answers
	io    fdStream

	second bool // an answer was replaced by an own page: that is done once
	long   bool // more was sent than one write's worth: the first byte's time is not the end's
	coarse bool // the answer's end is to be the connection's
}

func newRequestBuffers() *requestBuffers {
	k := &requestBuffers{in: make([]byte, inSize), own: make([]byte, 0, outSize)}
	k.buf, k.out = k.in, k.own
	return k
}

// piece is a buffer for what may have to be waited for: many slow clients can have one each.
type piece struct{ b [pieceSize]byte }

func (s *Server) givePiece(p *piece) {
	poison.Bytes(p.b[:])
	poison.Put(&s.pieces, p)
}

// bulk is a buffer for long bodies that are known to flow.
type bulk struct{ b [bulkSize]byte }

// have is what was received and not used yet.
func (k *requestBuffers) have() []byte { return k.buf[k.r:k.w] }

// room is where more can be received; the buffer grows when it is full.
func (k *requestBuffers) room() []byte {
	if k.w == len(k.buf) {
		if k.r > 0 {
			k.compact()
		} else {
			grown := make([]byte, 2*len(k.buf))
			copy(grown, k.buf[:k.w])
			poison.Bytes(k.buf)
			k.buf = grown
		}
	}
	return k.buf[k.w:]
}

// compact moves what is not used yet to the beginning. No text of an exchange may be in use.
func (k *requestBuffers) compact() {
	if k.r == k.w {
		k.r, k.w = 0, 0
	} else if k.r > 0 {
		k.w = copy(k.buf, k.buf[k.r:k.w])
		k.r = 0
	}
	poison.Bytes(k.buf[k.w:])
}

// next makes it fit for the next request of the connection.
func (k *requestBuffers) next() {
	k.x.Reset()
	k.scan, k.read = wire.HeadScan{}, 0
	k.second, k.coarse, k.long = false, false, false
	k.out = k.own[:0]
	poison.Bytes(k.out)
	poison.Texts(&k.req)
	k.body.reset()
	if len(k.buf) > len(k.in) && k.w-k.r <= len(k.in)/2 { // a large head or body is over
		k.w = copy(k.in, k.have())
		poison.Bytes(k.buf)
		k.buf, k.r = k.in, 0
		poison.Bytes(k.buf[k.w:])
		return
	}
	k.compact()
	if poison.On && &k.in[0] != &k.buf[0] { // the texts stood in it
		poison.Bytes(k.in)
	}
}

// overwrite is for what k holds when it is given back.
func (k *requestBuffers) overwrite() {
	for _, b := range [...][]byte{k.in, k.buf, k.own, k.spare} {
		poison.Bytes(b)
	}
}

// forget drops what belongs to a connection.
func (k *requestBuffers) forget() {
	k.scan = wire.HeadScan{}
	k.x.Req.Header.Reset()
	k.x.Conn, k.x.Task, k.x.Front = nil, nil, nil
	k.body.c = nil
	k.r, k.w = 0, 0
	k.buf = k.in
}
