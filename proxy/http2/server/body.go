package server

import (
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"sync/atomic"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// body is a request's body. Owned by whoever reads it: one goroutine at a time. The client may send no
// more than a window of it before it is read.
type body struct {
	st    *stream
	taken atomic.Int64
	whole atomic.Bool // io.EOF was seen
	err   error
}

var _ exchange.Duplex = (*body)(nil)

// Abort ends its reads.
func (b *body) Abort() { b.st.ctl.endReads() }

// Read waits for the client, whom it tells to go on if need be. The error is io.EOF or a *BodyError.
func (b *body) Read(p []byte) (n int, err error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	err = watched(b.st.timeout(), b.st.ctl.endReads, func() error {
		n, err = b.st.r.Body.Read(p)
		return err
	})
	b.taken.Add(int64(n))
	switch {
	case err == io.EOF:
		b.err = io.EOF
		b.whole.Store(true)
	case err != nil:
		b.err = &exchange.BodyError{Status: bodyStatus(err), Err: err}
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

func bodyStatus(err error) exchange.Status {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 408
	}
	return 400
}

// trailer keeps the fields behind the body, those that the head announced, once all of it was read.
func (b *body) trailer() {
	if !b.whole.Load() {
		return
	}
	x := &b.st.x
	for _, name := range slices.Sorted(maps.Keys(b.st.r.Trailer)) {
		for _, v := range b.st.r.Trailer[name] {
			if wire.IsToken(name) && wire.IsValue(v) {
				x.Req.Trailer.Add(name, v)
			}
		}
	}
	if x.Server.MergeTrailers {
		x.Req.Header.F = append(x.Req.Header.F, x.Req.Trailer.F...)
	}
}

// Buffered is empty: what was received is not to be seen from here.
func (b *body) Buffered() []byte { return nil }

// Discard has nothing to discard.
func (b *body) Discard(int) {}

// Taken is how much was read.
func (b *body) Taken() int64 { return b.taken.Load() }
