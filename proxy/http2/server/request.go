package server

import (
	"errors"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// read makes x of the head that was received, by the rules that HTTP/1's heads have: nothing passes here that would
// not pass there (httpd: h2_request.c h2_create_request_rec). The problem is nil when it may be served.
func (st *stream) read() *exchange.Problem {
	x, h := &st.x, &st.head
	st.bytes = int64(h.size)
	problem := st.extended()
	if problem == nil {
		problem = st.check()
	}
	if problem == nil {
		problem = st.parse()
	}
	st.present()
	if problem == nil {
		problem = st.length()
	}
	if x.Req.Line == "" { // for the logs, as far as it can be told
		st.guess()
	}
	if problem != nil {
		x.Req.Length = 0 // an ErrorDocument's member gets nothing of the body
		if x.Req.Path == "" {
			x.Req.Path = x.Req.RawPath
		}
	}
	return problem
}

// plainConnect reports whether it is CONNECT as HTTP/1 has it, to an authority.
func (h *head) plainConnect() bool { return h.method == "CONNECT" && h.protocol == "" }

// target is the request's target: of CONNECT the authority.
func (h *head) target() string {
	if h.plainConnect() {
		return h.authority
	}
	return h.path
}

// check looks at what has no place in a head, or is too long (httpd: h2_stream.c h2_stream_add_header).
func (st *stream) check() *exchange.Problem {
	h, srv := &st.head, st.c.server
	target, host := h.target(), h.authority
	switch {
	case h.tooLong:
		return st.refuse(431, "AH10181: Request header is longer than LimitRequestFields and LimitRequestFieldSize allow")
	case len(target) > srv.LimitLine || len(host) > srv.LimitLine || len(h.method) > srv.LimitLine:
		return st.refuse(414, "AH10178: Request pseudo header exceeds LimitRequestFieldSize: :path")
	case !wire.IsWord(h.method) || !wire.IsWord(target) || host != "" && !wire.IsWord(host):
		return st.refuse(400, "AH10379: Request pseudo header holds what it may not")
	}
	return st.checkFields()
}

// checkFields merges fields of one name, and looks at how many and how long they are.
func (st *stream) checkFields() *exchange.Problem {
	srv, x := st.c.server, &st.x
	fields := &x.Req.Header
	if st.head.crumbs > 1 {
		st.joinCookies()
	}
	many := len(fields.F) - st.hosts() // cookies are one, others of one name as many as there are
	long := wire.MergeFields(fields, srv.LimitFieldSize)
	for i := range fields.F {
		if f := &fields.F[i]; f.ID != wire.Host && len(f.Name)+len(f.Value)+2 > srv.LimitFieldSize {
			long = f.Name
		}
	}
	switch {
	case long != "":
		return st.refuse(431, x.Arena.Join("AH10180: Request header exceeds LimitRequestFieldSize(", x.Arena.Int(int64(srv.LimitFieldSize)), "): ", long[:min(len(long), 80)]))
	case srv.LimitFields > 0 && many > srv.LimitFields:
		return st.refuse(431, "AH10181: Number of request headers exceeds LimitRequestFields")
	}
	st.expectation()
	return nil
}

// hosts is how many of the fields are :authority.
func (st *stream) hosts() int {
	if st.head.seen&sawAuthority != 0 && st.head.authority != "" {
		return 1
	}
	return 0
}

// joinCookies makes one field of the cookies, which clients may send apart (RFC 9113 section 8.2.3).
func (st *stream) joinCookies() {
	fields, size := &st.x.Req.Header, 0
	for i := range fields.F {
		if f := &fields.F[i]; f.ID == wire.Cookie {
			size += len(f.Value) + len("; ")
		}
	}
	b := st.x.Arena.Scratch(size)
	at := -1
	for i := range fields.F {
		f := &fields.F[i]
		switch {
		case f.ID != wire.Cookie:
			continue
		case at < 0:
			at = i
		default:
			b = append(b, "; "...)
		}
		b = append(b, f.Value...)
	}
	fields.F[at].Value = st.x.Arena.Keep(b)
	n := at + 1
	for _, f := range fields.F[at+1:] {
		if f.ID != wire.Cookie {
			fields.F[n] = f
			n++
		}
	}
	clear(fields.F[n:])
	fields.F = fields.F[:n]
}

// expectation leaves a wait for 100 Continue there only where a body follows.
func (st *stream) expectation() {
	fields := &st.x.Req.Header
	i := fields.IndexID(wire.Expect)
	if i < 0 || !wire.Lists(fields.F[i].Value, "100-continue") {
		return
	}
	if st.bodiless() {
		fields.DelID(wire.Expect)
		return
	}
	fields.F[i].Value = "100-continue"
}

// bodiless reports whether no body follows.
func (st *stream) bodiless() bool {
	return st.head.length == 0 || st.head.length < 0 && st.head.endsStream
}

func (st *stream) refuse(status exchange.Status, message string) *exchange.Problem {
	st.x.Log("http2", exchange.Info, nil, message)
	return &exchange.Problem{Status: status}
}

// parse reads line and fields as HTTP/1 has them.
func (st *stream) parse() *exchange.Problem {
	s, h := st.c.server, &st.head
	rules := wire.Rules{Line: s.LimitLine, FieldSize: s.LimitFieldSize, Registered: s.RegisteredMethods, Secure: st.c.info.Secure}
	line := st.x.Arena.Join(h.method, " ", h.target(), " HTTP/2.0")
	err := wire.CompleteRequest(line, &rules, &st.req, &st.x.Req.Header)
	if err == nil {
		return nil
	}
	var f *wire.Refusal
	if !errors.As(err, &f) {
		f = &wire.Refusal{Status: 400}
	}
	if f.Message != "" {
		st.x.Log("core", exchange.Level(f.Level), nil, f.Message)
	}
	return &exchange.Problem{Status: exchange.Status(f.Status), Note: f.Note}
}

// present makes x the exchange of what was read.
func (st *stream) present() {
	x, r := &st.x, &st.req
	x.HeadOnly = st.head.method == "HEAD"
	q := &x.Req
	q.Line, q.Method, q.Target = r.Line, r.Method, r.Target
	q.Major, q.Minor = 2, 0
	q.Scheme = "http"
	if st.c.info.Secure {
		q.Scheme = "https"
	}
	q.Authority, q.Host, q.Port = r.Authority, r.Host, r.Port
	q.RawPath, q.Query, q.HasQuery = r.RawPath, r.Query, r.HasQuery
	q.Length, q.Body, q.Expect100 = r.Length, &st.body, r.Expect100
	st.body.expects = r.Expect100
	if st.socket != nil || st.head.plainConnect() { // what comes behind the head is no body (RFC 9113 section 8.5)
		q.Length, q.Body, q.Upgrade = 0, exchange.NoBody{}, true
	}
}

// length finds out how long the body is. Who announces one and ends the stream with the head has lied.
func (st *stream) length() *exchange.Problem {
	q := &st.x.Req
	switch {
	case st.socket != nil, st.head.plainConnect():
	case st.head.endsStream && q.Length > 0:
		return st.refuse(400, "AH10379: Content-Length is not the length of the body")
	case !st.head.endsStream && !st.req.HasLength:
		q.Length = -1
	}
	return nil
}

// guess makes the line of a request that could not be read.
func (st *stream) guess() {
	x, h := &st.x, &st.head
	method, target := printable(h.method), printable(h.target())
	path, _, _ := strings.Cut(target, "?")
	x.Req.RawPath, x.Req.Path = path, path
	x.Req.Line = x.Arena.Join(method, " ", target, " HTTP/2.0")
	x.Req.Method = method
	host := h.authority
	x.Req.Header.Reset()
	if host != "" && wire.IsWord(host) && len(host) <= st.c.server.LimitLine { // for the member of an ErrorDocument
		x.Req.Header.Add("Host", host)
	}
}

// printable is a text as it may stand in a log.
func printable(s string) string {
	if wire.IsValue(s) {
		return s[:min(len(s), 8190)]
	}
	return "?"
}
