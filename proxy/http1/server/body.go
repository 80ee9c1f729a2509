package server

import (
	"errors"
	"io"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// body is the body of the request under way, decoded. Owned by the goroutine that serves it.
type body struct {
	c       *conn
	data    []byte // decoded and not taken yet, in k.buf
	base    int    // where in k.buf the body's bytes are received
	left    int64  // bytes still to come, when they are counted
	chunked bool
	chunks  wire.Chunks
	taken   int64
	err     error
	by      limit
	timed   bool // by was started
	merged  bool // the trailer was added to the header, if that is wanted
	expects bool // the client waits for 100 Continue
}

var _ interface {
	exchange.Body
	exchange.Complete
	exchange.Ready
} = (*body)(nil)

func (b *body) reset() {
	b.data, b.err, b.left, b.chunked, b.taken, b.timed, b.merged, b.expects = nil, nil, 0, false, 0, false, false, false
}

// begin takes what was received with the head.
func (b *body) begin(c *conn, r *wire.Request) {
	b.reset()
	k := c.k
	b.c, b.base = c, k.r
	b.expects = r.Expect100 && r.AtLeast11()
	switch {
	case r.Length > 0:
		n := int(min(int64(k.w-k.r), r.Length))
		b.data = k.buf[k.r : k.r+n]
		k.r += n
		k.read += int64(n)
		b.left = r.Length - int64(n)
	case r.Length < 0:
		b.chunked = true
		b.chunks.Reset(&c.rules)
		b.decode()
	}
}

// decode decodes what was received of a chunked body.
func (b *body) decode() {
	k := b.c.k
	if k.r == k.w || b.chunks.Done() {
		return
	}
	n, used, err := b.chunks.Decode(k.have())
	b.data = k.buf[k.r : k.r+n]
	k.r += used
	k.read += int64(used)
	switch {
	case err != nil:
		b.fail(b.malformed(err), err)
	case b.chunks.Done():
		b.chunks.Trailer(&b.c.k.x.Req.Trailer)
	}
}

// malformed is the status for a fault in the chunks, and logs it.
func (b *body) malformed(err error) exchange.Status {
	x := &b.c.k.x
	switch err {
	case wire.ErrChunkSize:
		x.Log("http", exchange.Info, nil, "AH01590: Error reading/parsing chunk (overflow) ")
		return 413
	case wire.ErrTrailer:
		x.Log("http", exchange.Info, nil, "AH02656: Error while reading HTTP trailer: 400")
	default:
		x.Log("http", exchange.Info, nil, "AH01590: Error reading/parsing chunk  ")
	}
	return 400
}

// fail ends the body, and the connection after the answer.
func (b *body) fail(status exchange.Status, err error) {
	b.err = &exchange.BodyError{Status: status, Err: err}
	b.c.over, b.c.linger = true, true
}

// merge adds the trailer to the request's header, where that is wanted, once all of the body was taken: a member's
// head, which goes before the body, does not have it (httpd: http_filters.c read_chunked_trailers).
func (b *body) merge() {
	if !b.chunked || b.merged || len(b.data) > 0 || !b.chunks.Done() {
		return
	}
	b.merged = true
	x := &b.c.k.x
	if !x.Server.MergeTrailers {
		return
	}
	x.Req.Header.F = append(x.Req.Header.F, x.Req.Trailer.F...)
}

// received reports whether all of it is here.
func (b *body) received() bool {
	if b.chunked {
		return b.chunks.Done() || b.err != nil
	}
	return b.left == 0 || b.err != nil
}

// Complete is exchange.Complete's.
func (b *body) Complete() (done bool, err error) { return b.received(), b.err }

// Ready is exchange.Ready's.
func (b *body) Ready() bool { return !b.c.silent() }

// Buffered is what can be had without waiting.
func (b *body) Buffered() []byte { return b.data }

// Discard takes n bytes of it as read.
func (b *body) Discard(n int) {
	b.data = b.data[n:]
	b.taken += int64(n)
	if b.chunked {
		b.merge()
	}
}

// Taken is how much was read so far.
func (b *body) Taken() int64 { return b.taken }

// Read waits for the client, whom it tells to go on if need be. The error is io.EOF or a *BodyError.
func (b *body) Read(p []byte) (int, error) {
	if b.expects && b.taken == 0 && (len(b.data) > 0 || !b.received()) {
		if err := b.c.Continue("", nil); err != nil {
			b.fail(400, err)
		}
	}
	for {
		switch {
		case len(p) == 0:
			return 0, nil
		case len(b.data) > 0:
			n := copy(p, b.data)
			b.Discard(n)
			return n, nil
		case b.err != nil:
			return 0, b.err
		case b.received():
			b.merge()
			return 0, io.EOF
		}
		n, err := b.more(p)
		if n > 0 || err != nil {
			b.taken += int64(n)
			return n, err
		}
	}
}

// more receives bytes of the body: into p when they are nothing else, else to be decoded first.
func (b *body) more(p []byte) (int, error) {
	direct := b.left
	if b.chunked {
		direct = b.chunks.Left()
	}
	if direct > 0 && (!b.chunked || int64(len(p)) <= direct) {
		n, err := b.receive(p[:min(int64(len(p)), direct)])
		if b.chunked {
			b.chunks.Skip(int64(n))
		} else {
			b.left -= int64(n)
		}
		b.c.k.read += int64(n)
		return n, err
	}
	k := b.c.k
	if len(k.buf)-b.base < minRoom {
		k.buf, b.base = make([]byte, inSize), 0
	}
	k.r, k.w = b.base, b.base
	n, err := b.receive(k.buf[b.base:])
	k.w += n
	b.decode()
	return 0, err
}

// receive waits for bytes within the client's time for its body.
func (b *body) receive(p []byte) (int, error) {
	now := time.Now()
	if !b.timed {
		b.timed = true
		b.by.start(now, b.c.k.x.Server.BodyRead)
	}
	n, err := b.c.read(p, b.by.left(now, b.c.k.x.Server.IOTimeout()))
	if n > 0 {
		b.by.arrived(n)
		return n, nil
	}
	switch {
	case timedOut(err):
		if b.by.on() {
			b.c.k.x.Log("reqtimeout", exchange.Info, nil, "AH01382: Request body read timeout")
		}
		b.fail(408, err)
	case err == nil || errors.Is(err, io.EOF):
		b.fail(400, io.ErrUnexpectedEOF)
	default:
		b.fail(400, err)
	}
	return 0, b.err
}
