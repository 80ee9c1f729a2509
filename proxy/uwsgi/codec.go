package uwsgi

import (
	"bytes"
	"context"
	"io"
	"slices"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// Backend speaks uwsgi to members.
type Backend struct{ serial *backend.Serial }

// NewBackend speaks uwsgi to members.
func NewBackend() *Backend {
	return &Backend{backend.NewSerial(func() backend.Codec { return new(codec) }, true)}
}

// RoundTrip sends the request. PATH_INFO is set even if no member can be reached. The error is a *Failure, or 500 for a
// path that can't be decoded.
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	path, ok := decoded(x.Out.Target)
	if !ok {
		x.Log(module, exchange.Error, nil, x.Arena.Join("AH10100: unable to decode uwsgi uri: ", x.Out.URL))
		return exchange.Status(500)
	}
	x.Env.Set("PATH_INFO", oneSlash(path))
	return b.serial.RoundTrip(ctx, w, x, call)
}

const module = "proxy_uwsgi"

// longestLine is how long a line of an answer's head may be (httpd: HUGE_STRING_LEN).
const longestLine = 8190

// codec is uwsgi for one attempt after the other.
type codec struct {
	s      *backend.SerialStream
	x      *exchange.Exchange
	env    cgi.Builder
	scan   wire.HeadScan
	res    wire.Response
	chunks wire.Chunks
	limits wire.Rules       // for chunks
	line   int64            // bytes of the status line
	had    []exchange.Field // the answer's by then: modules', which stay beside the member's
}

var _ backend.Codec = (*codec)(nil)

// Begin is Codec's.
func (c *codec) Begin(s *backend.SerialStream) {
	c.s, c.x, c.scan, c.line = s, s.X, wire.HeadScan{}, 0
	c.had = append(c.had[:0], s.X.Res.Header.F...)
}

// End is Codec's.
func (c *codec) End() {
	c.s, c.x = nil, nil
	clear(c.had)
	c.had = c.had[:0]
	poison.Texts(&c.res)
}

func (c *codec) log(parts ...string) {
	c.x.Log(module, exchange.Error, nil, c.x.Arena.Join(parts...))
}

var rules = wire.ResponseRules{FieldSize: longestLine, OnBad: wire.BadIsError}

// ParseHead is Codec's (httpd: mod_proxy_uwsgi.c uwsgi_response).
func (c *codec) ParseHead(in []byte) (used int, event backend.Event, err error) {
	due := c.scan.Due(in, func(line []byte) bool { return wire.EmptyLine(line) || bytes.IndexByte(line, ':') < 0 })
	if !due && c.scan.Open() <= longestLine {
		return 0, 0, backend.ErrIncomplete
	}
	n, err := wire.ParseResponse(in, &rules, &c.res, &c.x.Res.Header)
	switch {
	case err == wire.ErrIncomplete:
		c.scan.Tried = len(in)
		return 0, 0, backend.ErrIncomplete
	case err != nil && startsEmpty(in):
		return 0, 0, c.s.Fail(backend.EarlyClose, nil)
	case err == wire.ErrStatusLine, err == wire.ErrVersion:
		return 0, 0, c.s.Fail(backend.BadStatusLine, nil)
	case err != nil, c.res.Status < 200, !valid(&c.x.Res.Header):
		return 0, 0, c.s.Fail(backend.BadHead, nil)
	}
	c.line = int64(len(c.res.Line))
	return n, backend.FinalResponse, nil
}

// valid reports whether fields may go on. One without a name may, as in httpd: the client's side refuses it, by 500.
func valid(h *exchange.Header) bool {
	for i := range h.F {
		if f := &h.F[i]; !f.Valid() && (f.Name != "" || !wire.IsValue(f.Value)) {
			return false
		}
	}
	return true
}

// startsEmpty reports whether the first line is empty.
func startsEmpty(in []byte) bool {
	line, _, ended := bytes.Cut(in, []byte{'\n'})
	return ended && wire.EmptyLine(line)
}

// Begun is Codec's: the status line is there.
func (c *codec) Begun(in []byte) bool { return bytes.IndexByte(in, '\n') >= 0 }

// Interim is Codec's: there are none.
func (c *codec) Interim() backend.InterimHead { return backend.InterimHead{} }

// Accept is Codec's. No range is cut of an answer, whose end comes later (httpd: mod_proxy_uwsgi.c uwsgi_response).
func (c *codec) Accept() (backend.Framing, error) {
	res := &c.x.Res
	f := wire.ResponseFraming(c.res.Status, c.x.Req.Method == "HEAD" || c.x.HeadOnly, &res.Header)
	if f.Body == wire.Unclear {
		return backend.Framing{}, c.s.Fail(backend.BadHead, nil)
	}
	c.clean(f)
	res.Status, res.Reason, res.Proxied, res.Ranges = c.res.Status, c.res.Reason, true, exchange.NoRanges
	switch f.Body {
	case wire.NoBody:
		return backend.Framing{Body: backend.NoBody, Length: f.Length}, nil
	case wire.Counted:
		return backend.Framing{Body: backend.Counted, Length: f.Length}, nil
	case wire.InChunks:
		c.limits = c.x.Server.Rules(false)
		c.chunks.Reset(&c.limits)
		return backend.Framing{Body: backend.Coded, Length: -1}, nil
	}
	return backend.Framing{Body: backend.ToEnd, Length: -1}, nil
}

// clean takes away what concerns the member's connection, and puts what modules had set in front.
func (c *codec) clean(f wire.Framing) {
	h := &c.x.Res.Header
	named := wire.TokensOf(h.Joined("Connection"), wire.ConnectionSeparators)
	length, kind := false, false
	h.F = slices.DeleteFunc(h.F, func(g exchange.Field) bool {
		switch {
		case g.ID == wire.ContentLength:
			again := length || f.Length < 0
			length = true
			return again
		case g.ID == wire.ContentType:
			again := kind
			kind = true
			return again
		case wire.ConnectionField[g.ID], g.ID == wire.ProxyAuthenticate:
			return true
		}
		return g.ID == wire.Other && named.Has(g.Name)
	})
	h.F = slices.Insert(h.F, 0, c.had...)
}

// Decode is Codec's: it takes chunks apart.
func (c *codec) Decode(p []byte) (n, used int, err error) {
	n, used, err = c.chunks.Decode(p)
	if err == nil && c.chunks.Done() {
		err = io.EOF
	}
	return n, used, err
}

// Broken is Codec's.
func (c *codec) Broken(err error) {
	c.x.Log(module, exchange.Warn, err, "AH01110: error reading response")
}

// Reuse is Codec's: a connection carries one request.
func (c *codec) Reuse() backend.Reason { return backend.MemberCloses }

// Counted is Codec's: of an answer the status line and the body.
func (c *codec) Counted(t backend.Traffic) (sent, read int64) { return t.Sent, c.line + t.ReceivedBody }
