package server

import (
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/wire"
)

// block is the header block that is being received.
type block struct {
	kind   blockKind
	id     uint32
	st     *stream // with requestBlock
	tail   tail    // with trailerBlock
	end    bool    // the stream ends with it
	code   http2.ErrCode
	length int // bytes of it so far, as they were sent
}

// blockKind is what a header block is.
type blockKind uint8

const (
	noBlock      blockKind = iota
	requestBlock           // it opens a stream
	trailerBlock           // it ends a body
	refusedBlock           // its stream is reset with code: it is decoded for the table's sake
	ignoredBlock           // the same, and nothing is said
)

// headers begins a header block.
func (c *conn) headers(f *http2.HeadersFrame) error {
	id := f.StreamID
	if id%2 == 0 {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.block = block{id: id, end: f.StreamEnded()}
	if err := c.opens(id); err != nil {
		return err
	}
	if f.HasPriority() && f.Priority.StreamDep == id && c.block.kind == requestBlock {
		c.block.refuse(http2.ErrCodeProtocol)
	}
	return c.fragment(f.HeaderBlockFragment(), f.HeadersEnded())
}

// refuse has the block's stream be reset.
func (k *block) refuse(code http2.ErrCode) {
	if k.st != nil && k.kind == requestBlock {
		k.st.unused()
	}
	k.kind, k.st, k.code = refusedBlock, nil, code
}

// opens decides what a header block is.
func (c *conn) opens(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.block
	st := c.find(id)
	switch {
	case st != nil && st.ended:
		k.refuse(http2.ErrCodeStreamClosed)
	case st != nil:
		k.kind = trailerBlock
	case c.cut.has(id):
		k.kind = ignoredBlock
	case c.past.has(id):
		return http2.ConnectionError(http2.ErrCodeStreamClosed)
	case id <= c.newest:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case c.ending == final: // it was told that this one is not served
		c.newest = id
		c.cut.add(id)
		k.kind = ignoredBlock
	case c.streams() >= c.limits.streams:
		c.newest = id
		k.refuse(http2.ErrCodeRefusedStream)
		if c.ackBy.IsZero() { // it knows better
			k.code = http2.ErrCodeProtocol
		}
	default:
		c.newest, c.served = id, id
		c.past.add(id)
		k.kind, k.st = requestBlock, c.s.stream(c, id)
	}
	return nil
}

// past is the numbers of some streams.
type past struct {
	ids  [16]uint32
	next uint8
}

func (p *past) add(id uint32) {
	p.ids[p.next%uint8(len(p.ids))] = id
	p.next++
}

func (p *past) has(id uint32) bool {
	for _, n := range p.ids {
		if n == id {
			return true
		}
	}
	return false
}

// fragment decodes a part of a header block.
func (c *conn) fragment(p []byte, end bool) error {
	k := &c.block
	if len(p) == 0 && !end {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.countFutile()
	}
	if k.length += len(p); k.length > 2*c.limits.header {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	if err := frames.Decode(c.dec, p, end); err != nil {
		return err
	}
	if !end {
		c.waitForBlock(time.Now().Add(c.server.IOTimeout()))
		return nil
	}
	c.waitForBlock(time.Time{})
	whole := *k
	c.block = block{}
	return c.decoded(&whole)
}

// waitForBlock sets when a block that has begun must be here.
func (c *conn) waitForBlock(by time.Time) {
	if c.blockBy.IsZero() != by.IsZero() {
		c.mu.Lock()
		c.blockBy = by
		c.mu.Unlock()
	}
}

// decoded does what a header block asks for.
func (c *conn) decoded(k *block) error {
	switch k.kind {
	case refusedBlock:
		return http2.StreamError{StreamID: k.id, Code: k.code}
	case requestBlock:
		return c.request(k)
	case trailerBlock:
		return c.trailer(k)
	}
	return nil
}

// trailer ends a request's body with fields. Its exchange may have ended since the block began, and the stream may be
// another connection's by now: it is looked for again.
func (c *conn) trailer(k *block) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.find(k.id)
	if st == nil || st.closed {
		return nil
	}
	if !k.end || k.tail.malformed {
		return http2.StreamError{StreamID: k.id, Code: http2.ErrCodeProtocol}
	}
	st.tail = k.tail.fields
	st.requestEnds()
	st.comes(c.by)
	return nil
}

// request begins the exchange of a request, unless its head is no head.
func (c *conn) request(k *block) error {
	st := k.st
	st.ended, st.head.endsStream = k.end, k.end
	if !st.head.sound() {
		st.unused()
		return http2.StreamError{StreamID: k.id, Code: http2.ErrCodeProtocol}
	}
	c.Useful()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.last {
		st.unused()
		return nil
	}
	st.declared = st.head.length
	c.out.rank(st, st.head.priority)
	st.window = c.initial
	st.room = c.limits.window
	if !c.ackBy.IsZero() { // it may not know of another one yet
		st.room = max(st.room, defaultWindow)
	}
	c.open = append(c.open, st)
	switch at := len(c.open) - len(c.pending); {
	case at <= c.limits.streams:
		c.begin(c.by, st)
	case len(c.pending) >= mostWaiting*c.limits.streams:
		c.open = c.open[:len(c.open)-1]
		st.unused()
		c.goAway(c.by, http2.ErrCodeEnhanceYourCalm, "it opens streams faster than they end")
	default:
		c.pending = append(c.pending, st)
	}
	return nil
}

// head is a request's head while it is received, besides the fields.
type head struct {
	method, scheme, path, authority string
	protocol                        string // of CONNECT: what the stream is to become (RFC 8441)
	seen                            uint8  // pseudo fields that were there, by the bits below
	regular                         bool   // other fields have begun
	malformed                       bool   // it is against the protocol
	tooLong                         bool   // it is longer than we take
	size                            int    // of all fields, as the compression counts it
	length                          int64  // by Content-Length; -1 it says none
	crumbs                          int    // fields Cookie
	priority                        priority
	endsStream                      bool // no body follows
}

const (
	sawMethod uint8 = 1 << iota
	sawScheme
	sawPath
	sawAuthority
	sawProtocol
)

// tail is the fields behind a request's body while they are received.
type tail struct {
	fields    []exchange.Field
	size      int
	malformed bool
}

// field takes in a field of the header block that is being received.
func (c *conn) field(f hpack.HeaderField) {
	switch k := &c.block; k.kind {
	case requestBlock:
		k.st.field(f)
		if k.st.head.tooLong {
			c.dec.SetEmitEnabled(false)
		}
	case trailerBlock:
		k.tail.field(f, c.limits.header)
	}
}

// field takes in one of the trailer (httpd: h2_util.c h2_ignore_req_trailer).
func (t *tail) field(f hpack.HeaderField, most int) {
	t.size += int(f.Size())
	if t.malformed = t.malformed || t.size > most || !frames.LowerToken(f.Name) || !wire.IsValue(f.Value); t.malformed {
		return
	}
	switch id := wire.IDOf(f.Name); {
	case id == wire.Trailer, headOnly[id], id == wire.Other && headOnlyName(f.Name):
	case wire.ConnectionField[id], id == wire.ContentLength:
		t.malformed = true
	default:
		t.fields = append(t.fields, exchange.Field{Name: f.Name, Value: wire.TrimBlanks(f.Value), ID: id})
	}
}

// headOnly are the fields that mean nothing behind a body (httpd: h2_util.c h2_ignore_req_trailer).
var headOnly = [256]bool{wire.Host: true, wire.Range: true, wire.Cookie: true, wire.Expect: true, wire.MaxForwards: true,
	wire.Authorization: true, wire.ProxyAuthorization: true}

// headOnlyName is headOnly for fields without an ID.
func headOnlyName(name string) bool { return name == "pragma" || name == "cache-control" }

// field takes in a field of a request's head.
func (st *stream) field(f hpack.HeaderField) {
	h := &st.head
	if h.size += int(f.Size()); h.size > st.c.limits.header {
		h.tooLong = true
		return
	}
	if !wire.IsValue(f.Value) {
		h.malformed = true
		return
	}
	if f.IsPseudo() {
		h.pseudo(f, st.c.server.HTTP2.WebSockets)
		if f.Name == ":authority" && f.Value != "" && !h.malformed {
			st.x.Req.Header.F = append(st.x.Req.Header.F, exchange.Field{Name: "Host", Value: f.Value, ID: wire.Host})
		}
		return
	}
	h.regular = true
	if !frames.LowerToken(f.Name) {
		h.malformed = true
		return
	}
	st.regular(f)
}

// pseudo takes in a pseudo field (RFC 9113 section 8.3; with extended CONNECT also that of RFC 8441).
func (h *head) pseudo(f hpack.HeaderField, extended bool) {
	var to *string
	var bit uint8
	switch f.Name {
	case ":method":
		to, bit = &h.method, sawMethod
	case ":scheme":
		to, bit = &h.scheme, sawScheme
	case ":path":
		to, bit = &h.path, sawPath
	case ":authority":
		to, bit = &h.authority, sawAuthority
	case ":protocol":
		if extended {
			to, bit = &h.protocol, sawProtocol
		}
	}
	if bit == 0 || h.seen&bit != 0 || h.regular {
		h.malformed = true
		return
	}
	h.seen |= bit
	*to = f.Value
}

// regular takes in any other field. Those of a connection are not there in HTTP/2; Host is not when there is an
// authority, which goes before it.
func (st *stream) regular(f hpack.HeaderField) {
	h := &st.head
	id, value := wire.IDOf(f.Name), wire.TrimBlanks(f.Value)
	switch {
	case id == wire.Trailer, id == wire.Other && f.Name == "http2-settings":
		return
	case id == wire.TE:
		h.malformed = h.malformed || value != "trailers" && value != ""
	case wire.ConnectionField[id]:
		h.malformed = true
	case id == wire.Host && h.authority != "":
		h.malformed = h.malformed || !h.isAuthority(value)
		return
	case id == wire.Host:
		h.authority = value
	case id == wire.ContentLength && h.length < 0:
		if n, ok := wire.ParseLength(value); ok {
			h.length = n
		}
	case id == wire.Cookie:
		h.crumbs++
	case id == wire.Other && f.Name == "priority":
		h.priority = parsePriority(value)
	}
	name := id.String()
	if id == wire.Other {
		name = st.canonical(f.Name)
	}
	st.x.Req.Header.F = append(st.x.Req.Header.F, exchange.Field{Name: name, Value: value, ID: id})
}

// isAuthority reports whether a Host says what :authority does: in other letters, or with the scheme's own port, it is
// the same (RFC 9113 section 8.3.1, RFC 9110 section 4.2.3).
func (h *head) isAuthority(host string) bool {
	if host == h.authority {
		return true
	}
	port := ":80"
	if strings.EqualFold(h.scheme, "https") {
		port = ":443"
	}
	return strings.EqualFold(strings.TrimSuffix(host, port), strings.TrimSuffix(h.authority, port))
}

// canonical is a name as HTTP/1 writes it.
func (st *stream) canonical(name string) string {
	b := append(st.x.Arena.Scratch(len(name)), name...)
	frames.Canonicalize(b)
	return st.x.Arena.Keep(b)
}

// sound reports whether the head is one (RFC 9113 section 8.3.1).
func (h *head) sound() bool {
	switch {
	case h.malformed:
		return false
	case h.tooLong: // what is missing may be what was not read
		return true
	case h.seen&sawProtocol != 0 && (h.method != "CONNECT" || h.protocol == "" || h.authority == ""):
		return false
	case h.plainConnect():
		return h.path == "" && h.scheme == "" && h.authority != ""
	}
	local := h.path != "" && h.path[0] == '/' || h.path == "*"
	return h.method != "" && local && strings.IndexByte(h.authority, '@') < 0 && (strings.EqualFold(h.scheme, "http") || strings.EqualFold(h.scheme, "https"))
}
