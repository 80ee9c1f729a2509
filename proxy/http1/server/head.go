package server

import (
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// frame is how an answer is put on the wire.
type frame struct {
	simple  bool  // HTTP/0.9: no head
	body    bool  // a body follows the head
	length  int64 // with body: of it; -1 it is chunked or ends with the connection
	chunked bool
	say     int64 // the Content-Length to be told, -1 for none
	code    bool  // Transfer-Encoding: chunked is to be told, though no body follows (HEAD)
	keep    bool  // the connection lives on
	echo    bool  // the client asked for that by name: it is told
	left    int   // how many requests may follow
	old     bool  // the answer calls itself HTTP/1.0
}

// framing decides how an answer is sent (httpd: http_protocol.c ap_set_keepalive, http_filters.c
// ap_http_header_filter).
func (c *conn) framing(x *exchange.Exchange) frame {
	res := &x.Res
	f := frame{length: res.Length, say: -1, simple: x.Req.Major == 0}
	f.body = !x.HeadOnly && !wire.Bodiless(res.Status) && res.Body != nil && res.Length != 0
	atLeast11 := x.Req.AtLeast11()
	if x.Env.Len() > 0 {
		atLeast11 = c.clientQuirks(x, &f, atLeast11)
	}
	f.lengths(x, atLeast11)
	f.keep = c.mayKeep(x, &f, atLeast11)
	if c.k.coarse { // the page in place of a broken body: its end is the connection's
		f.keep, f.chunked, f.say = false, false, -1
	}
	return f
}

// lengths decides what is said of the body's length.
func (f *frame) lengths(x *exchange.Exchange, atLeast11 bool) {
	res := &x.Res
	switch {
	case wire.Bodiless(res.Status):
	case x.HeadOnly:
		if res.Length > 0 && !res.ErrorPage && (!res.Proxied || res.Header.IndexID(wire.ContentLength) >= 0) {
			f.say = res.Length
		}
		f.code = res.Length < 0 && res.Header.IndexID(wire.TransferEncoding) >= 0
	case res.Length < 0 && res.Body != nil:
		f.chunked = atLeast11 && !f.simple
	case res.Length >= 0:
		f.say = res.Length
	default:
		f.say = 0
	}
}

// mayKeep reports whether another request may follow (httpd: http_protocol.c ap_set_keepalive).
func (c *conn) mayKeep(x *exchange.Exchange, f *frame, atLeast11 bool) bool {
	res, r, srv := &x.Res, &c.k.req, x.Server
	if x.Req.Rejoined {
		r.Rejoin(&x.Req.Header)
	}
	f.left = srv.MaxKeepAlive - c.info.Kept
	f.echo = r.Keep
	switch {
	case c.over, res.Close, f.simple, f.old, c.k.body.expects, r.Both, r.Close, !r.Keep && !atLeast11:
		return false
	case f.body && f.length < 0 && !f.chunked: // its end is the connection's
		return false
	case !srv.KeepAlive, srv.KeepAliveTimeout <= 0, srv.MaxKeepAlive > 0 && f.left <= 0:
		return false
	case exchange.Closes(res.Status), c.s.stopping.Load():
		return false
	}
	return c.drainable() && !asksClose(&res.Header) && !asksClose(&res.Always)
}

// asksClose reports whether an answer's own Connection field ends the connection.
func asksClose(h *exchange.Header) bool {
	i := h.IndexID(wire.Connection)
	return i >= 0 && wire.Lists(h.F[i].Value, "close")
}

// clientQuirks does what the variables for broken clients say (httpd: http_filters.c
// basic_http_header_check, http_protocol.c ap_set_keepalive).
func (c *conn) clientQuirks(x *exchange.Exchange, f *frame, atLeast11 bool) bool {
	if x.Env.Has("force-no-vary") {
		x.Res.Header.Del("Vary")
		x.Res.Always.Del("Vary")
		atLeast11, f.old = false, true
	}
	if atLeast11 && x.Env.Has("downgrade-1.0") {
		atLeast11 = false
	}
	if !atLeast11 && x.Env.Has("force-response-1.0") {
		f.old = true
	}
	if x.Env.Has("nokeepalive") && !x.Req.Header.Has("Via") {
		x.Res.Close = true
	}
	return atLeast11
}

// appendHead appends an answer's head: the status line, Date and Server, the fields that hold whatever
// happens, the others, and what is said of connection and length (httpd: http_filters.c
// ap_http_header_filter). false: a field is invalid, and nothing of the answer may be sent.
func (c *conn) appendHead(b []byte, x *exchange.Exchange, f *frame) ([]byte, bool) {
	res := &x.Res
	if f.old {
		b = append(b, "HTTP/1.0 "...)
	} else {
		b = append(b, "HTTP/1.1 "...)
	}
	b = appendStatus(b, res)
	h := headWriter{b: b, f: f, res: res}
	h.own(c, x)
	h.fields(&res.Always)
	h.fields(&res.Header)
	h.tail(x)
	return append(h.b, "\r\n"...), !h.bad
}

// ownFields is more than the status line and the fields that this server adds take.
const ownFields = 512

// headLen is about as long as the head, rather more.
func headLen(res *exchange.Response) int {
	n := ownFields + len(res.Reason)
	for _, h := range [...]*exchange.Header{&res.Always, &res.Header} {
		for i := range h.F {
			n += len(h.F[i].Name) + len(h.F[i].Value) + len(": \r\n")
		}
	}
	return n
}

func appendStatus(b []byte, res *exchange.Response) []byte {
	b = wire.AppendInt(b, int64(res.Status))
	b = append(b, ' ')
	reason := res.Reason
	if reason == "" && !res.Proxied {
		reason = exchange.ReasonOf(res.Status)
	}
	if wire.IsValue(reason) {
		b = append(b, reason...)
	}
	return append(b, "\r\n"...)
}

// headWriter appends the fields of one head.
type headWriter struct {
	b    []byte
	f    *frame
	res  *exchange.Response
	said bool   // Content-Length stands already
	conn string // what an own Connection field said
	vary bool
	kind string // Content-Type of an own answer: it comes last
	bad  bool
}

// own appends Date and Server: of a request that is mapped to a member what the fields say, that hold
// whatever happens first, else ours (httpd: http_filters.c basic_http_header).
func (h *headWriter) own(c *conn, x *exchange.Exchange) {
	date, server := "", ""
	if x.Forwarded() {
		date, server = h.set(wire.Date), h.set(wire.Server)
	}
	if date == "" {
		date = c.s.clock.Date(x.Start)
	}
	h.field("Date", date)
	if server == "" {
		server = x.Server.Token
	}
	if server != "" {
		h.field("Server", server)
	}
}

// set is the first field of that name.
func (h *headWriter) set(id wire.ID) string {
	if v := h.res.Always.GetID(id); v != "" {
		return v
	}
	return h.res.Header.GetID(id)
}

// add appends a field that may not be one.
func (h *headWriter) add(f *exchange.Field) {
	if !f.Valid() {
		h.bad = true
		return
	}
	h.b = wire.AppendField(h.b, f.Name, f.Value)
}

// field is add of one of our own.
func (h *headWriter) field(name, value string) { h.add(&exchange.Field{Name: name, Value: value}) }

// fields appends a list, but for what is written elsewhere.
func (h *headWriter) fields(list *exchange.Header) {
	for i := range list.F {
		f := &list.F[i]
		switch f.ID {
		case wire.Other, wire.Location, wire.SetCookie:
			h.add(f)
		case wire.Date, wire.Server, wire.TransferEncoding:
		case wire.KeepAlive:
			if !h.f.keep || !h.f.echo { // else ours takes its place
				h.add(f)
			}
		case wire.ContentLength:
			h.length(f.Name)
		case wire.Connection:
			h.conn = f.Value
		case wire.Vary:
			h.varies(f.Name)
		case wire.ContentType:
			if h.res.Local {
				h.kind = f.Value
				continue
			}
			h.add(f)
		default:
			h.add(f)
		}
	}
}

// length appends Content-Length once, with the value that holds.
func (h *headWriter) length(name string) {
	if h.f.say < 0 || h.said {
		return
	}
	h.said = true
	h.b = append(h.b, name...)
	h.b = append(h.b, ": "...)
	h.b = wire.AppendInt(h.b, h.f.say)
	h.b = append(h.b, "\r\n"...)
}

// varies appends all Vary fields as one, each name once.
func (h *headWriter) varies(name string) {
	if h.vary {
		return
	}
	h.vary = true
	var few [16]string
	names := h.res.Varies(wire.NameSetOn(few[:]))
	if len(names.Names()) == 0 {
		h.field(name, "")
		return
	}
	h.b = append(h.b, name...)
	sep := ": "
	for _, n := range names.Names() {
		h.bad = h.bad || !wire.IsValue(n)
		h.b = append(h.b, sep...)
		h.b = append(h.b, n...)
		sep = ","
	}
	h.b = append(h.b, "\r\n"...)
}

// tail appends what concerns length and connection. Own answers have their type last.
func (h *headWriter) tail(x *exchange.Exchange) {
	h.length("Content-Length")
	h.connection(x)
	h.res.Chunked = h.f.chunked
	if h.f.chunked || h.f.code {
		h.b = append(h.b, "Transfer-Encoding: chunked\r\n"...)
	}
	if h.kind != "" && (h.res.Typed || !wire.Bodiless(h.res.Status)) {
		h.field("Content-Type", h.kind)
	}
}

// connection says whether the connection lives on: a client that asked for it by name is told how
// long, every other one only when it does not.
func (h *headWriter) connection(x *exchange.Exchange) {
	word := "close"
	if h.f.keep {
		word = "Keep-Alive"
		if !h.f.echo {
			if h.conn != "" {
				h.field("Connection", h.conn)
			}
			return
		}
		h.keepAlive(x.Server)
	}
	switch {
	case h.conn == "":
		h.res.Persists = word
		h.field("Connection", word)
	case wire.Lists(h.conn, word):
		h.field("Connection", h.conn)
	default:
		h.field("Connection", h.conn+", "+word)
	}
}

func (h *headWriter) keepAlive(s *exchange.Server) {
	h.b = append(h.b, "Keep-Alive: timeout="...)
	h.b = wire.AppendInt(h.b, int64(s.KeepAliveTimeout.Seconds()))
	if s.MaxKeepAlive > 0 {
		h.b = append(h.b, ", max="...)
		h.b = wire.AppendInt(h.b, int64(h.f.left))
	}
	h.b = append(h.b, "\r\n"...)
}
