package client

import (
	"bytes"
	"io"
	"strings"
	"syscall"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// NewBackend speaks HTTP/1.1 to members: for the schemes http, https, ws and wss.
func NewBackend() *backend.Serial {
	return backend.NewSerial(func() backend.Codec { return new(codec) }, false)
}

// codec is HTTP/1.1 for one attempt after the other.
type codec struct {
	s   *backend.SerialStream
	x   *exchange.Exchange
	out *exchange.Outgoing

	scan  wire.HeadScan
	rules wire.ResponseRules
	res   wire.Response

	framing wire.Framing
	chunks  wire.Chunks
	limits  wire.Rules // for chunks
	closes  bool       // the member ends the connection
	lines   int64      // bytes of status lines
}

var (
	_ backend.Codec   = (*codec)(nil)
	_ backend.Offerer = (*codec)(nil)
)

// Begin is Codec's.
func (c *codec) Begin(s *backend.SerialStream) {
	c.s, c.x, c.out = s, s.X, &s.X.Out
	c.scan, c.closes, c.lines = wire.HeadScan{}, false, 0
	c.rules = wire.ResponseRules{FieldSize: fieldSize(s.Worker.Settings()), OnBad: wire.BadLine(s.Call.BadHeader)}
	if s.Call.Check != nil {
		c.rules = c.rules.OfCheck()
	}
}

func fieldSize(s *balancer.WorkerSettings) int {
	if n := s.ResponseFieldSize.V; n > 0 {
		return n
	}
	return balancer.DefaultResponseFieldSize
}

// End is Codec's.
func (c *codec) End() {
	c.s, c.x, c.out = nil, nil, nil
	poison.Texts(&c.res)
}

// ParseHead is Codec's. A head that comes in pieces is parsed when that may decide it: see wire.HeadScan.
func (c *codec) ParseHead(in []byte) (used int, event backend.Event, err error) {
	if !c.due(in) {
		return 0, 0, backend.ErrIncomplete
	}
	n, err := wire.ParseResponse(in, &c.rules, &c.res, &c.x.Res.Header)
	switch {
	case err == wire.ErrIncomplete:
		c.scan.Tried = len(in)
		return 0, 0, backend.ErrIncomplete
	case err != nil:
		return 0, 0, c.badHead(err)
	case bytes.IndexByte(in[:n], 0) >= 0: // httpd reads no further than it
		return 0, 0, c.s.Fail(backend.BadHead, syscall.EINVAL)
	}
	c.scan = wire.HeadScan{}
	c.lines += int64(len(c.res.Line))
	if c.res.Status >= 200 || c.res.Status == 101 {
		return n, backend.FinalResponse, nil
	}
	return n, backend.InterimResponse, c.cleanInterim()
}

// due reports whether the head is to be parsed now. A line that is no field's decides it, unless such lines
// are passed over, and so does one that is too long.
func (c *codec) due(in []byte) bool {
	due := c.scan.Due(in, func(line []byte) bool {
		return wire.EmptyLine(line) || c.rules.OnBad != wire.BadIsIgnored && line[0] != ' ' && line[0] != '\t' && bytes.IndexByte(line, ':') < 0
	})
	return due || c.scan.Open() > c.rules.FieldSize
}

// Begun is Codec's: the status line is there. One empty line may come before it.
func (c *codec) Begun(in []byte) bool {
	line, rest, ended := bytes.Cut(in, lineFeed)
	if ended && wire.EmptyLine(line) {
		ended = bytes.IndexByte(rest, '\n') >= 0
	}
	return ended
}

var lineFeed = []byte{'\n'}

// badHead is what is wrong with a head.
func (c *codec) badHead(err error) error {
	switch err {
	case wire.ErrStatusLine, wire.ErrVersion:
		if c.res.Line == "" {
			return c.fail(backend.EarlyClose, "") // empty lines are no status line (httpd: mod_proxy_http.c ap_proxygetline)
		}
		return c.fail(backend.BadStatusLine, printable(c.res.Line))
	case wire.ErrTooLong, wire.ErrHeadSize:
		return c.fail(backend.BadHead, backend.TooLong)
	}
	return c.fail(backend.BadHead, "")
}

func (c *codec) fail(kind backend.Kind, detail string) error {
	f := c.s.Fail(kind, nil)
	f.Detail = detail
	return f
}

// printable is a copy of a text that log and page may show.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '.'
		}
		return r
	}, strings.Clone(s))
}

// cleanInterim readies a 1xx head to be passed on: nothing that it says of lengths counts.
func (c *codec) cleanInterim() error {
	h := &c.x.Res.Header
	if !h.Valid() {
		return c.fail(backend.BadHead, "")
	}
	c.framing = wire.Framing{Body: wire.UntilClose, Length: -1}
	c.clean(h)
	return nil
}

// Interim is Codec's.
func (c *codec) Interim() backend.InterimHead {
	return backend.InterimHead{Status: c.res.Status, Reason: c.res.Reason, Header: &c.x.Res.Header}
}

// StillWaits is Offerer's.
func (c *codec) StillWaits() bool {
	return c.res.Minor >= 1 && c.res.Status != 101 && !optionSeparators.Lists(c.x.Res.Header.Joined("Connection"), "close")
}

// Decode is Codec's: it takes chunks apart. What stands behind the last one is the answer's trailer, which clients of
// HTTP/2 get.
func (c *codec) Decode(p []byte) (n, used int, err error) {
	n, used, err = c.chunks.Decode(p)
	if err == nil && c.chunks.Done() {
		c.chunks.Trailer(&c.x.Res.Trailer)
		err = io.EOF
	}
	return n, used, err
}

// Broken is Codec's.
func (c *codec) Broken(err error) {
	c.x.Log("proxy_http", exchange.Error, err, "AH01110: error reading response")
}

// Reuse is Codec's: the response ended where it should, and neither side wants to close
// (RFC 9112 section 9.3).
func (c *codec) Reuse() backend.Reason {
	switch {
	case c.framing.Both:
		return backend.TwoFramings
	case c.closes:
		return backend.MemberCloses
	case c.res.Minor < 1, c.out.Minor < 1:
		return backend.OldProtocol
	case c.res.InBody:
		return backend.BadHeadSkipped
	case c.res.Status < 200, c.out.Upgrade != "":
		return backend.Upgrades
	}
	return backend.Reusable
}

// Counted is Codec's (httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (c *codec) Counted(t backend.Traffic) (sent, read int64) {
	return t.Sent, c.lines + t.ReceivedBody
}
