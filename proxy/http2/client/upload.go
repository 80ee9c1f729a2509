package client

import (
	"errors"
	"io"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
)

var errTaken = errors.New("http2: the beginning of the body is gone")

// upload is the client's body on its way to members. What was taken first is kept, up to a chunk: as long as that is
// all, another attempt may begin anew. It ends with the exchange. Owned by the goroutine that serves it.
type upload struct {
	x     *exchange.Exchange
	none  bool // there is no body
	tells teller
	mem   *frames.Chunk
	n     int   // bytes in it, at most a DATA frame's
	at    int   // of them, what was sent in this attempt
	total int64 // how much was taken of the client
	over  bool  // that is all
	gone  bool  // what was taken first is no longer here
	fault error // what the client did wrong
}

// teller is a body that says when more of it has come: who waits for a member need not wait for the client, too.
type teller interface {
	exchange.Announcer
	exchange.Ready
}

// noUpload is for requests without a body. Never written to.
var noUpload = upload{none: true, over: true}

// uploadOf is x's upload: the same for all attempts.
func uploadOf(x *exchange.Exchange) (*upload, error) {
	if !x.Out.HasBody || x.Req.Length == 0 {
		return &noUpload, nil
	}
	switch u := x.State[exchange.StateUpload].(type) {
	case *upload:
		return u, nil
	case nil:
	default: // a member of another scheme was tried first
		return nil, &exchange.BodyError{Status: 502, Err: errTaken}
	}
	u := &upload{x: x}
	u.tells, _ = x.Req.Body.(teller)
	x.State[exchange.StateUpload] = u
	x.OnFinish(u)
	return u, nil
}

// ReadsOn is exchange.Uploader's.
func (u *upload) ReadsOn() bool { return u.tells != nil }

// Finish ends it.
func (u *upload) Finish(x *exchange.Exchange) {
	x.State[exchange.StateUpload] = nil
	u.mem.Give()
	u.mem = nil
}

// again reports whether everything that was taken is still here.
func (u *upload) again() bool { return !u.gone && u.fault == nil }

// pending is what was taken and not sent.
func (u *upload) pending() []byte {
	if u.mem == nil {
		return nil
	}
	return u.mem.B[u.at:u.n]
}

// ready reports whether there is something to send, or the end, without waiting for the client; told: as far as that can
// be known.
func (u *upload) ready() (is, told bool) {
	switch {
	case u.at < u.n || u.over:
		return true, true
	case u.tells == nil:
		return len(u.x.Req.Body.Buffered()) > 0, false
	}
	return u.tells.Ready(), true
}

// fill takes more from the client, which it may wait for. The error is a *BodyError.
func (u *upload) fill() error {
	if u.mem == nil {
		u.mem = frames.GetChunk()
	}
	if u.at == u.n && (u.gone || u.n == frames.MaxData) {
		u.gone, u.n, u.at = true, 0, 0
	}
	body := u.x.Req.Body
	n, err := body.Read(u.mem.B[u.n:frames.MaxData])
	u.n += n
	u.total += int64(n)
	switch {
	case err == io.EOF:
		u.over = true
	case err != nil && n == 0:
		u.fault = err
		return err
	default:
		u.look(body)
	}
	return nil
}

// look finds out whether that was all of it.
func (u *upload) look(body exchange.Body) {
	if c, ok := body.(exchange.Complete); ok {
		done, err := c.Complete()
		u.over = done && err == nil && len(body.Buffered()) == 0
		return
	}
	u.over = u.x.Req.Length >= 0 && u.total >= u.x.Req.Length
}
