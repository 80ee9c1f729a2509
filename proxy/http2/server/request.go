package server

import (
	"errors"
	"maps"
	"net/http"
	values "reflect"
	"slices"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// read makes x of the request: its head is written as HTTP/1 has it and read by the same parser, so that
// nothing passes here that would not pass there (httpd: h2_request.c h2_create_request_rec does the
// same). The problem is nil when it may be served.
func (st *stream) read() *exchange.Problem {
	x := &st.x
	problem := st.write()
	if problem == nil {
		problem = st.parse()
	}
	st.present()
	if problem == nil {
		problem = st.length()
	}
	if x.Req.Line == "" { // for the logs, as far as it can be told
		path, _, _ := strings.Cut(printable(st.r.RequestURI), "?")
		x.Req.RawPath, x.Req.Path = path, path
		x.Req.Line = x.Arena.Join(printable(st.r.Method), " ", printable(st.r.RequestURI), " HTTP/2.0")
		x.Req.Method = printable(st.r.Method)
		if h := st.r.Host; h != "" && wire.IsWord(h) && len(h) <= st.c.server.LimitLine {
			x.Req.Header.Add("Host", h) // for the member of an ErrorDocument
		}
	}
	if problem != nil && x.Req.Path == "" {
		x.Req.Path = x.Req.RawPath
	}
	return problem
}

// write makes the head st.head, unless something of it has no place in a head or is too long
// (httpd: h2_stream.c h2_stream_add_header).
func (st *stream) write() (problem *exchange.Problem) {
	r := st.r
	st.head = st.head[:0]
	if problem = st.checkLine(); problem != nil {
		return problem
	}
	b := append(st.head, r.Method...)
	b = append(b, ' ')
	b = append(b, r.RequestURI...)
	b = append(b, " HTTP/2.0\r\n"...)
	if r.Host != "" {
		b = wire.AppendField(b, "Host", r.Host)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name == "Host" && r.Host != "" { // :authority goes before it
			continue
		}
		if b, problem = st.appendField(b, name, r.Header[name]); problem != nil {
			return problem
		}
	}
	if expects(r) {
		b = wire.AppendField(b, "Expect", "100-continue")
	}
	st.head = append(b, "\r\n"...)
	return nil
}

// checkLine looks at what becomes the request line and the Host field, and at how many fields there are.
func (st *stream) checkLine() *exchange.Problem {
	r, srv := st.r, st.c.server
	switch {
	case len(r.RequestURI) > srv.LimitLine || len(r.Host) > srv.LimitLine || len(r.Method) > srv.LimitLine:
		return st.refuse(414, exchange.Info, "AH10178: Request pseudo header exceeds LimitRequestFieldSize: :path")
	case !wire.IsWord(r.Method) || !wire.IsWord(r.RequestURI) || strings.ContainsAny(r.RequestURI, " \t") || r.Host != "" && !wire.IsWord(r.Host):
		return st.refuse(400, exchange.Info, "AH10379: Request pseudo header holds what it may not")
	case srv.LimitFields > 0 && len(r.Header) > srv.LimitFields:
		return st.refuse(431, exchange.Info, "AH10181: Number of request headers exceeds LimitRequestFields")
	}
	return nil
}

// appendField appends all values of a field, which together have one limit.
func (st *stream) appendField(b []byte, name string, values []string) ([]byte, *exchange.Problem) {
	if !wire.IsToken(name) {
		return b, st.refuse(400, exchange.Info, "AH10379: Request header name holds what it may not")
	}
	size, most := len(name), st.c.server.LimitFieldSize
	for _, v := range values {
		if !wire.IsValue(v) {
			return b, st.refuse(400, exchange.Info, "AH10379: Request header holds what it may not: "+name)
		}
		size += len(v) + 2
		b = wire.AppendField(b, name, v)
	}
	if size > most {
		return b, st.refuse(431, exchange.Info, "AH10180: Request header exceeds LimitRequestFieldSize("+st.x.Arena.Int(int64(most))+"): "+name[:min(len(name), 80)])
	}
	return b, nil
}

func (st *stream) refuse(status exchange.Status, level exchange.Level, message string) *exchange.Problem {
	st.x.Log("http2", level, nil, message)
	return &exchange.Problem{Status: status}
}

// parse reads st.head.
func (st *stream) parse() *exchange.Problem {
	s := st.c.server
	rules := wire.Rules{Line: s.LimitLine + len(" HTTP/2.0") + s.LimitLine, FieldSize: s.LimitFieldSize + 4, Registered: s.RegisteredMethods, Secure: st.c.info.Secure}
	_, err := wire.ParseRequest(st.head, &rules, &st.req, &st.x.Req.Header)
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
	x.HeadOnly = st.r.Method == "HEAD"
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
}

// expects reports whether the client waits for 100 Continue: x/net takes the field away and keeps that for the
// body's first read, which is when it sends 100 (TestExpect holds that against its code).
func expects(r *http.Request) bool {
	if r.ContentLength == 0 {
		return false
	}
	v := values.ValueOf(r.Body)
	if v.Kind() != values.Pointer || v.Elem().Kind() != values.Struct {
		return false
	}
	f := v.Elem().FieldByName("needsContinue")
	return f.IsValid() && f.Kind() == values.Bool && f.Bool()
}

// length settles how long the body is. Who announces one and ends the stream with the head has lied; who
// ends a body too early or too late is found out by x/net.
func (st *stream) length() *exchange.Problem {
	q := &st.x.Req
	switch {
	case st.r.ContentLength < 0:
		q.Length = -1
	case st.r.ContentLength != q.Length:
		return st.refuse(400, exchange.Info, "AH10379: Content-Length is not the length of the body")
	}
	return nil
}

// printable is a text as it may stand in a log.
func printable(s string) string {
	if wire.IsValue(s) {
		return s[:min(len(s), 8190)]
	}
	return "?"
}
