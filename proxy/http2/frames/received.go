package frames

import (
	"errors"
	"io"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Received is what a connection has received and not used yet. The zero value is empty, and holds no memory. Owned by
// who serves the connection.
type Received struct {
	in     *Input    // nil while nothing is there
	futile int       // frames that brought nothing
	since  time.Time // since when they are counted
}

// In is what is here of frames; nil: nothing.
func (r *Received) In() *Input { return r.in }

// wasted is how much is read at a time of what is passed over.
const wasted = 4 << 10

// PassOver reads once from a connection of which nothing is listened to any more.
func PassOver(from io.Reader) (int, error) { return from.Read(make([]byte, wasted)) }

// Read reads once, behind what is here.
func (r *Received) Read(from io.Reader) (n int, err error) {
	if r.in == nil {
		r.in = GetInput()
	}
	if n, err = from.Read(r.in.Room()); n > 0 {
		r.in.Got(n)
	}
	return n, err
}

// Release gives the memory back if nothing of a frame is there.
func (r *Received) Release() {
	if r.in != nil && len(r.in.Have()) == 0 {
		r.in.Give()
		r.in = nil
	}
}

// Bounds of frames that bring nothing.
const (
	mostFutile = 10000
	futileTime = 10 * time.Second
)

// Useful notes that a frame has brought something.
func (r *Received) Useful() { r.futile = 0 }

// Futile counts a frame that brings nothing. attack: they are many in a row and a short time.
func (r *Received) Futile() (attack bool) {
	if r.futile == 0 {
		r.since = time.Now()
	}
	if r.futile++; r.futile < mostFutile {
		return false
	}
	r.futile = 0
	return time.Since(r.since) <= futileTime
}

// CodeOf is what GOAWAY says of an error that ends a connection.
func CodeOf(err error) http2.ErrCode {
	if of, is := errors.AsType[http2.ConnectionError](err); is {
		return http2.ErrCode(of)
	}
	if errors.Is(err, http2.ErrFrameTooLarge) {
		return http2.ErrCodeFrameSize
	}
	return http2.ErrCodeProtocol
}

// Decode decodes a part of a header block; end: it is the last one, and what was dropped of it is over. The error is
// the connection's.
func Decode(dec *hpack.Decoder, p []byte, end bool) error {
	if _, err := dec.Write(p); err != nil || end && dec.Close() != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	if end {
		dec.SetEmitEnabled(true)
	}
	return nil
}

// MaxWindow is how large a window may be (RFC 9113 section 6.9.1).
const MaxWindow = 1<<31 - 1

// Widen opens a window of the other side's, by less than none where its SETTINGS say so (section 6.9.2). The error is
// that of the stream with the number id, or with 0 the connection's.
func Widen(window *int64, more int64, id uint32) error {
	switch *window += more; {
	case *window <= MaxWindow:
		return nil
	case id == 0:
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	return http2.StreamError{StreamID: id, Code: http2.ErrCodeFlowControl}
}
