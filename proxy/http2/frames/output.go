package frames

import (
	"sync"

	"balancerd/proxy/internal/poison"
)

// MaxOutput is how many bytes of answers, or of requests, may wait in a connection's output. What is being written is as
// much again.
const MaxOutput = 64 << 10

// Chunk is memory for a little output, and for bodies.
type Chunk struct{ B [16 << 10]byte }

// bulk is memory for as much output as there may be, but for large heads.
type bulk struct{ b [MaxOutput + MaxPayload]byte }

var (
	chunks = sync.Pool{New: func() any { return new(Chunk) }}
	bulks  = sync.Pool{New: func() any { return new(bulk) }}
)

// GetChunk is memory that Give gives back.
func GetChunk() *Chunk { return chunks.Get().(*Chunk) }

// Give gives it back; nil is nothing.
func (k *Chunk) Give() {
	if k != nil {
		poison.Bytes(k.B[:])
		poison.Put(&chunks, k)
	}
}

func (k *bulk) give() {
	if k != nil {
		poison.Bytes(k.b[:])
		poison.Put(&bulks, k)
	}
}

// Output is frames to be sent, in memory of the pools. The zero value is empty, and holds none.
type Output struct {
	B     []byte
	chunk *Chunk // B's memory, while that is enough
	bulk  *bulk  // or that
}

// Buffer is B with memory to append n bytes to.
func (o *Output) Buffer(n int) []byte {
	switch {
	case o.B == nil && o.bulk == nil && n <= len(Chunk{}.B):
		o.chunk = GetChunk()
		o.B = o.chunk.B[:0]
	case cap(o.B)-len(o.B) < n && o.bulk == nil && len(o.B)+n <= len(bulk{}.b):
		o.bulk = bulks.Get().(*bulk)
		o.B = append(o.bulk.b[:0], o.B...)
		o.chunk.Give()
		o.chunk = nil
	}
	return o.B
}

// Take takes all of it, and leaves it empty.
func (o *Output) Take() Output {
	taken := *o
	*o = Output{}
	return taken
}

// Give gives its memory back.
func (o *Output) Give() {
	o.chunk.Give()
	o.bulk.give()
	*o = Output{}
}

// Emptied is a list of streams to begin anew once they are over: a long one's memory is let go.
func Emptied[T any](list []*T) []*T {
	if cap(list) > 4 {
		return nil
	}
	return list[:0]
}
