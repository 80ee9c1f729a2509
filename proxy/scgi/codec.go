package scgi

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/proxy/backend"
	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
)

const module = "proxy_scgi"

// codec is SCGI for one attempt after the other.
type codec struct {
	s      *backend.SerialStream
	x      *exchange.Exchange
	env    cgi.Builder
	answer cgi.Answer
	looked int // of a head, where its end can't be
}

var (
	_ backend.Codec    = (*codec)(nil)
	_ backend.Listener = (*codec)(nil)
)

// Begin is Codec's.
func (c *codec) Begin(s *backend.SerialStream) { c.s, c.x, c.looked = s, s.X, 0 }

// End is Codec's.
func (c *codec) End() { c.s, c.x = nil, nil }

// AppendHead is Codec's: the variables, the body's length in front (httpd: mod_proxy_scgi.c send_headers).
func (c *codec) AppendHead(b []byte) ([]byte, error) {
	x := c.x
	r := cgi.Request{Filename: x.Arena.Join("proxy:", x.Out.URL), PathInfo: x.PathInfo, Length: -1}
	if _, whole := of(x); whole && !x.Out.Balanced {
		r.PathInfo = x.Out.Target
	}
	if !c.s.Body.None() {
		r.Length = c.s.Body.Length()
	}
	c.env.Environment(x, &r)
	length := x.Arena.Int(max(0, r.Length)) // it is always told, but no variable of a request without a body
	size := pairSize("CONTENT_LENGTH", length) + pairSize("SCGI", "1")
	each(&x.Env, func(name, value string) { size += pairSize(name, value) })
	b = append(strconv.AppendInt(b, int64(size), 10), ':')
	b = appendPair(appendPair(b, "CONTENT_LENGTH", length), "SCGI", "1")
	each(&x.Env, func(name, value string) { b = appendPair(b, name, value) })
	return append(b, ','), nil
}

// each has f see the variables that a member gets behind the first two. What holds a zero byte is none.
func each(env *exchange.Table, f func(name, value string)) {
	for i := range env.Len() {
		switch name, value := env.At(i); {
		case name == "GATEWAY_INTERFACE", name == "CONTENT_LENGTH", name == "SCGI", strings.IndexByte(name, 0) >= 0, strings.IndexByte(value, 0) >= 0:
		default:
			f(name, value)
		}
	}
}

func pairSize(name, value string) int { return len(name) + len(value) + 2 }

func appendPair(b []byte, name, value string) []byte {
	b = append(append(b, name...), 0)
	return append(append(b, value...), 0)
}

// Unasked is Codec's: the body follows.
func (c *codec) Unasked() backend.Credit { return backend.All }

// PieceSize is Codec's.
func (c *codec) PieceSize() int { return 0 }

// AppendPiece is Codec's.
func (c *codec) AppendPiece(b []byte, _ int) []byte { return b }

// AppendPieceEnd is Codec's.
func (c *codec) AppendPieceEnd(b []byte) []byte { return b }

// AppendEnd is Codec's.
func (c *codec) AppendEnd(b []byte) []byte { return b }

// ParseHead is Codec's.
func (c *codec) ParseHead(in []byte) (used int, event backend.Event, err error) {
	n := cgi.EndOfHead(in, c.looked)
	switch {
	case n > cgi.MostHead, n == 0 && len(in) >= cgi.MostHead:
		return 0, 0, c.fail(backend.TooLong)
	case n == 0:
		c.looked = max(0, len(in)-3)
		return 0, 0, backend.ErrIncomplete
	}
	err = c.answer.Read(c.x, module, c.x.Arena.Bytes(in[:n]))
	switch {
	case errors.Is(err, cgi.Err1xx):
		return 0, 0, c.s.Fail(backend.BadFraming, err)
	case err != nil:
		return 0, 0, c.fail("")
	}
	return n, backend.FinalResponse, nil
}

func (c *codec) fail(detail string) error {
	f := c.s.Fail(backend.BadHead, nil)
	f.Detail = detail
	return f
}

// Begun is Codec's: a head that is not whole is none.
func (c *codec) Begun([]byte) bool { return false }

// Silent is Listener's.
func (c *codec) Silent(in []byte, err error) error {
	cgi.LogCut(c.x, module, string(in), err)
	return err
}

// Interim is Codec's: there are none.
func (c *codec) Interim() backend.InterimHead { return backend.InterimHead{} }

// Accept is Codec's. No range is cut of an answer, and one that the request's conditions have no use for is replaced by our
// own (httpd: mod_proxy_scgi.c pass_response).
func (c *codec) Accept() (backend.Framing, error) {
	if c.answer.End {
		return backend.Framing{}, exchange.Status(c.x.Res.Status)
	}
	c.x.Res.Ranges = exchange.NoRanges
	f := backend.Framing{Body: backend.ToEnd, Length: c.answer.Length, Sized: true}
	switch {
	case c.x.Req.Method == "HEAD", c.x.HeadOnly, exchange.Bodiless(c.x.Res.Status):
		f.Body = backend.NoBody
	case f.Length >= 0:
		f.Body = backend.Counted
	}
	return f, nil
}

// Decode is Codec's: nothing is coded.
func (c *codec) Decode([]byte) (n, used int, err error) { return 0, 0, nil }

// Broken is Codec's.
func (c *codec) Broken(err error) {
	c.x.Log(module, exchange.Warn, err, "AH00860: error reading response from the member")
}

// Reuse is Codec's: a connection carries one request.
func (c *codec) Reuse() backend.Reason { return backend.MemberCloses }

// Counted is Codec's: every byte, both ways.
func (c *codec) Counted(t backend.Traffic) (sent, read int64) { return t.Sent, t.Received }
