package client

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// answerSize is the room for an answer's head and the beginning of its body.
const answerSize = 16 << 10

// maxInterim is how many 1xx answers in a row are too many (httpd: AP_MAX_INTERIM_RESPONSES).
const maxInterim = 10

// answer is a member's answer under way: its head, whose texts are views into buf until the exchange
// ends, and its body as a Source. The connection is given back as soon as the last byte is here. Owned
// by the goroutine that serves the exchange.
type answer struct {
	owner  *Backend
	x      *exchange.Exchange
	call   *backend.Call
	up     *upload
	conn   *backend.Conn // nil once it was given back
	unhook func() bool   // nil, or what keeps the end of the client from cutting conn off

	out   []byte // the request's head
	in    []byte // buf's storage
	buf   []byte
	r, w  int // of buf, what was received and not used yet
	scan  wire.HeadScan
	rules wire.ResponseRules
	res   wire.Response
	saved []exchange.Field // cookies that were set before the member was asked

	framing wire.Framing
	data    []byte // body bytes that are here, decoded
	base    int    // where in buf the body is received
	left    int64  // counted: bytes still to come
	chunks  wire.Chunks
	limits  wire.Rules // for chunks
	err     error      // how the body ended: io.EOF, or what went wrong

	partial bool  // the request was not sent whole
	closes  bool  // the member ends the connection, or we must
	stale   bool  // a kept connection was dead before anything was sent
	read    int64 // bytes in httpd's sense: status lines and body
}

var _ interface {
	exchange.Source
	exchange.Gatherer
} = (*answer)(nil)

func newAnswer(b *Backend) *answer {
	return &answer{owner: b, in: make([]byte, answerSize), out: make([]byte, 0, 2<<10)}
}

// begin makes it fit for an attempt.
func (a *answer) begin(x *exchange.Exchange, c *backend.Conn, call *backend.Call) {
	a.x, a.conn, a.call = x, c, call
	a.buf, a.r, a.w, a.scan = a.in, 0, 0, wire.HeadScan{}
	a.data, a.err, a.left, a.read = nil, nil, 0, 0
	a.partial, a.closes, a.stale = false, false, false
	a.rules = wire.ResponseRules{FieldSize: fieldSize(c.Worker().Settings()), OnBad: wire.BadLine(call.BadHeader)}
}

func fieldSize(s *balancer.WorkerSettings) int {
	if n := s.ResponseFieldSize.V; n > 0 {
		return n
	}
	return balancer.DefaultResponseFieldSize
}

// abandon gives a failed attempt up.
func (a *answer) abandon() {
	a.release(false)
	a.retire()
}

// Finish ends it with its exchange.
func (a *answer) Finish(*exchange.Exchange) {
	a.release(false)
	a.retire()
}

func (a *answer) retire() {
	a.x, a.call, a.up, a.data, a.err = nil, nil, nil, nil, nil
	poison.Bytes(a.buf[:0])
	a.buf = a.in
	clear(a.saved)
	a.saved = a.saved[:0]
	poison.Bytes(a.in)
	poison.Bytes(a.out)
	poison.Put(&a.owner.answers, a)
}

// release gives the connection back and counts the bytes.
func (a *answer) release(keep bool) {
	if a.conn == nil {
		return
	}
	a.conn.Worker().AddTraffic(a.conn.Sent(), a.read)
	if a.unhook != nil {
		keep = a.unhook() && keep
		a.unhook = nil
	}
	a.conn.Release(keep)
	a.conn = nil
}

// talk sends the request and reads the answer's head.
func (a *answer) talk(up *upload) error {
	head, good := a.appendRequest(a.out[:0], up)
	a.out = head
	if !good {
		a.x.Log("proxy_http", exchange.Error, nil, "AH10408: the request to the member holds a text that no head may hold")
		return exchange.Status(500)
	}
	a.saveCookies()
	a.up = up
	if err := a.send(up); err != nil {
		return err
	}
	for n := 0; ; n++ {
		if err := a.head(); err != nil {
			return err
		}
		a.read += int64(len(a.res.Line))
		if a.res.Status >= 200 || a.res.Status == 101 {
			return a.settle()
		}
		if err := a.interim(); err != nil {
			return err
		}
		if n+1 == maxInterim {
			return a.fail(backend.TooManyInterim, nil)
		}
	}
}

// saveCookies keeps what modules have set: the member's head replaces all other fields
// (httpd: mod_proxy_http.c ap_proxy_http_process_response, save_table).
func (a *answer) saveCookies() {
	for i := range a.x.Res.Header.F {
		if f := &a.x.Res.Header.F[i]; f.ID == wire.SetCookie {
			a.saved = append(a.saved, *f)
		}
	}
}

func (a *answer) fail(kind backend.Kind, err error) *backend.Failure { return a.conn.Fail(kind, err) }

// send sends the request, as far as it goes without the member's word, and waits for the first bytes.
func (a *answer) send(up *upload) error {
	o := &a.x.Out
	if o.Expect || o.Ping {
		return a.offer(up)
	}
	if !up.short() {
		return a.stream(up)
	}
	now := a.x.Start
	if !up.none || a.call.Later || !a.conn.Reused() { // reading the body, or coming here, may have taken its time
		now = time.Now()
	}
	n, wrote, err := a.conn.Talk(now, a.out, up.first, a.buf)
	switch {
	case err == nil:
		up.sent()
		a.w = n
		return nil
	case wrote:
		up.sent()
		return a.silent(err)
	}
	a.stale = a.conn.Reused() && a.conn.Sent() == 0 && !backend.IsTimeout(err)
	return up.fault(a.conn, err)
}

// sent is taken, for a body that went with the head.
func (u *upload) sent() {
	if u.ready {
		u.taken()
	}
}

// stream sends a request whose body is still on its way from the client.
func (a *answer) stream(up *upload) error {
	up.rewind()
	early, err := up.send(a.conn, a.out)
	var f *backend.Failure
	if errors.As(err, &f) && f.Kind == backend.WriteBody && !f.Timeout {
		if n, rerr := a.conn.TryRead(a.buf); n > 0 && rerr == nil { // it said something before it closed
			a.w, early, err = n, true, nil
		}
	}
	if err != nil {
		return err
	}
	a.partial = early
	return nil
}

// offer sends the head alone and waits until the member wants the body: it says 100, or answers
// (httpd: mod_proxy_http.c ap_proxy_http_process_response, do_100_continue).
func (a *answer) offer(up *upload) error {
	c := a.conn
	if ping := c.Worker().Settings().Ping; ping.Set {
		usual := c.Timeout()
		c.SetTimeout(ping.V)
		defer c.SetTimeout(usual)
	}
	n, wrote, err := c.Talk(time.Now(), a.out, nil, a.buf)
	if err != nil {
		a.stale = !wrote && c.Reused() && c.Sent() == 0 && !backend.IsTimeout(err)
		if !wrote {
			return c.Fail(backend.WriteHead, err)
		}
		return a.unwanted(a.silent(err))
	}
	a.w = n
	for count := 0; ; count++ {
		if err := a.head(); err != nil {
			return a.unwanted(err)
		}
		if a.res.Status >= 200 || a.res.Status == 101 {
			a.r = a.base // the head is read once more, by talk
			return a.wantedLate(up)
		}
		a.read += int64(len(a.res.Line))
		if err := a.interim(); err != nil {
			return err
		}
		if a.res.Status == 100 {
			break
		}
		if count+1 == maxInterim {
			return a.fail(backend.TooManyInterim, nil)
		}
	}
	if up.none {
		return nil
	}
	early, err := up.send(c, nil)
	a.partial = early
	return err
}

// wantedLate is for a final answer to an offer. The member still waits for the body when it keeps the
// connection; a short one is sent, and of a long one the connection ends.
func (a *answer) wantedLate(up *upload) error {
	h := &a.x.Res.Header
	if a.partial = !up.none; up.none || a.res.Minor < 1 || a.res.Status == 101 || lists(h.Joined("Connection"), "close") || !up.brief() {
		return nil
	}
	early, err := up.send(a.conn, nil)
	a.partial = early
	return err
}

// unwanted turns silence into the failure of the offer.
func (a *answer) unwanted(err error) error {
	if f, ok := err.(*backend.Failure); ok && f.Timeout {
		f.Kind = backend.NoContinue
	}
	return err
}

// silent is what the end, or the silence, before a status line means.
func (a *answer) silent(err error) error {
	if backend.IsTimeout(err) {
		return a.fail(backend.ReadTimeout, err)
	}
	ended := err == io.EOF || err == io.ErrUnexpectedEOF // TLS without a goodbye
	a.stale = ended && a.conn.Reused() && a.w == 0 && !a.up.gone && a.conn.Undelivered()
	f := a.fail(backend.EarlyClose, err)
	f.Partial = a.partial && a.up.coming()
	return f
}

// head reads the next head.
func (a *answer) head() error {
	for {
		if a.r < a.w && a.due() {
			n, err := wire.ParseResponse(a.buf[a.r:a.w], &a.rules, &a.res, &a.x.Res.Header)
			switch {
			case err == nil:
				a.base = a.r
				a.r += n
				a.scan = wire.HeadScan{}
				return nil
			case err != wire.ErrIncomplete:
				return a.badHead(err)
			}
			a.scan.Tried = a.w - a.r
		}
		if err := a.fill(); err != nil {
			if bytes.IndexByte(a.buf[a.r:a.w], '\n') < 0 {
				return a.silent(err)
			}
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return a.fail(backend.BadHead, err)
		}
	}
}

// due reports whether the head is to be parsed now. A line that is no field's settles it, unless such lines
// are passed over, and so does one that is too long.
func (a *answer) due() bool {
	due := a.scan.Due(a.buf[a.r:a.w], func(line []byte) bool {
		return wire.EmptyLine(line) || a.rules.OnBad != wire.BadIsIgnored && line[0] != ' ' && line[0] != '\t' && bytes.IndexByte(line, ':') < 0
	})
	return due || a.scan.Open() > a.rules.FieldSize
}

// fill waits for more of the head.
func (a *answer) fill() error {
	if a.w == len(a.buf) {
		if a.r > 0 {
			a.w = copy(a.buf, a.buf[a.r:a.w])
			a.r = 0
		} else {
			grown := make([]byte, 2*len(a.buf))
			copy(grown, a.buf[:a.w])
			a.buf = grown
		}
	}
	n, err := a.conn.Read(a.buf[a.w:])
	a.w += n
	return err
}

// badHead is what is wrong with a head.
func (a *answer) badHead(err error) error {
	var f *backend.Failure
	switch err {
	case wire.ErrStatusLine, wire.ErrVersion:
		f = a.fail(backend.BadStatusLine, nil)
		f.Detail = printable(a.res.Line)
	case wire.ErrTooLong, wire.ErrHeadSize:
		f = a.fail(backend.BadHead, nil)
		f.Detail = backend.TooLong
	default:
		f = a.fail(backend.BadHead, nil)
	}
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

// interim passes a 1xx answer on, or not (httpd: mod_proxy_http.c, proxy-interim-response).
func (a *answer) interim() error {
	h := &a.x.Res.Header
	if !fit(h) {
		return a.fail(backend.BadHead, nil)
	}
	a.framing = wire.Framing{Body: wire.UntilClose, Length: -1} // nothing that an interim answer says of lengths counts
	a.clean(h)
	if a.call.Via != nil {
		h.F = append(h.F, exchange.Field{Name: "Via", Value: a.call.Via(a.x), ID: wire.Via})
	}
	switch {
	case a.call.Interim == backend.InterimSuppress || a.x.Front == nil:
	case a.res.Status == 100 && a.call.Interim == backend.InterimRelay:
		return a.passOn(a.x.Front.Continue(a.res.Reason, h))
	default:
		return a.passOn(a.x.Front.Interim(a.res.Status, a.res.Reason, h))
	}
	return nil
}

// passOn is for a client that does not take an interim answer: it is gone.
func (a *answer) passOn(err error) error {
	if err == nil {
		return nil
	}
	return a.fail(backend.ClientBody, &exchange.BodyError{Status: 400, Err: err})
}

// fit tells whether all fields may stand in a head of ours.
func fit(h *exchange.Header) bool {
	for i := range h.F {
		if f := &h.F[i]; !wire.IsToken(f.Name) || !wire.IsValue(f.Value) {
			return false
		}
	}
	return true
}
