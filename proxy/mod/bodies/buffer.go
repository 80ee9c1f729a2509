package bodies

import (
	"context"
	"io"

	"balancerd/proxy/exchange"
)

// holding is BUFFER with its size.
type holding int64

// answer holds back what a member sends until there is more of it than the size, or a pause.
func (h holding) answer(_ context.Context, x *exchange.Exchange) error {
	if x.Res.Body != nil && !x.HeadOnly {
		x.Res.Streamed = nil
		x.Res.Body = exchange.Rewritten(x.Res.Body, func(out io.Writer) exchange.Rewriter { return &holder{most: int(h), out: out} })
	}
	return nil
}

type holder struct {
	most int
	out  io.Writer
	held []byte
}

// Write holds a piece.
func (h *holder) Write(p []byte) (int, error) {
	h.held = append(h.held, p...)
	if len(h.held) >= h.most {
		return len(p), h.Flush()
	}
	return len(p), nil
}

// Flush gives what is held.
func (h *holder) Flush() error {
	_, err := h.out.Write(h.held)
	h.held = h.held[:0]
	return err
}

// Close gives what is held.
func (h *holder) Close() error { return h.Flush() }

// request has a request's body come in up to the size before any of it is given.
func (h holding) request(_ context.Context, x *exchange.Exchange) error {
	exchange.ThroughBody(x, &ahead{from: x.Req.Body, most: int(h)})
	return nil
}

// ahead reads ahead.
type ahead struct {
	from  io.Reader
	most  int
	held  []byte
	ready []byte
	err   error
}

// Read gives of what came in, once that is enough or all.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.ready) == 0 && a.err == nil {
		a.fill()
	}
	if len(a.ready) == 0 {
		return 0, a.err
	}
	n := copy(p, a.ready)
	a.ready = a.ready[n:]
	return n, nil
}

// fill reads until enough is there. Storage grows with what has come in.
func (a *ahead) fill() {
	a.held = a.held[:0]
	for a.err == nil && len(a.held) < a.most {
		if len(a.held) == cap(a.held) {
			a.held = append(a.held, make([]byte, 4<<10)...)[:len(a.held)]
		}
		var n int
		n, a.err = a.from.Read(a.held[len(a.held):min(cap(a.held), a.most)])
		a.held = a.held[:len(a.held)+n]
	}
	a.ready = a.held
}
