package backend

import (
	"sync"

	"balancerd/proxy/internal/poison"
)

// headBuffer is what a response's head that is larger than usual is received into.
type headBuffer struct {
	b    []byte
	size int // index into largeHeads
}

// largeHeads are buffers for heads beyond headSize, by size: a head may have 64 KiB and its longest line.
var largeHeads = [...]sync.Pool{
	{New: func() any { return &headBuffer{make([]byte, 64<<10), 0} }},
	{New: func() any { return &headBuffer{make([]byte, 128<<10), 1} }},
}

// grow makes place behind what was received. No text of it may be in use.
func (s *SerialStream) grow() {
	next := 0
	if s.large != nil {
		next = s.large.size + 1
	}
	var larger *headBuffer
	if next < len(largeHeads) {
		larger = largeHeads[next].Get().(*headBuffer)
	} else { // responsefieldsize= may be anything
		larger = &headBuffer{make([]byte, 2*len(s.buf)), len(largeHeads)}
	}
	copy(larger.b, s.buf[:s.w])
	s.shrink()
	s.buf, s.large = larger.b, larger
}

// shrink gives the buffer of a large head back.
func (s *SerialStream) shrink() {
	s.buf = s.in
	if l := s.large; l != nil {
		s.large = nil
		poison.Bytes(l.b)
		if l.size < len(largeHeads) {
			poison.Put(&largeHeads[l.size], l)
		}
	}
}
