package client

import (
	"errors"
	"fmt"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/wire"
)

// head is a header block while it is received: that of an answer, of an interim one, or a trailer.
type head struct {
	id        uint32 // the stream's number; 0: none is being received
	end       bool   // the stream ends with it
	block     int    // bytes of it so far, as they were sent
	size      int    // of all fields, as the compression counts it
	status    string
	fields    []exchange.Field
	length    int64 // by Content-Length; -1 it says none
	malformed string
	tooLong   bool
}

func (h *head) reset() {
	clear(h.fields)
	*h = head{fields: h.fields[:0], length: -1}
}

// headers begins a header block.
func (c *conn) headers(f *http2.HeadersFrame) error {
	c.head.reset()
	c.head.id, c.head.end = f.StreamID, f.StreamEnded()
	c.mu.Lock()
	c.heard++
	idle := c.idle(f.StreamID)
	c.mu.Unlock()
	if idle {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return c.fragment(f.HeaderBlockFragment(), f.HeadersEnded())
}

// fragment decodes a part of a header block. What is longer than we take is decoded for the table's sake, and dropped.
func (c *conn) fragment(p []byte, end bool) error {
	h := &c.head
	if len(p) == 0 && !end {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.countFutile()
	}
	if h.block += len(p); h.block > 2*memberHeader {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	if err := frames.Decode(c.dec, p, end); err != nil || !end {
		return err
	}
	err := c.decoded(h)
	h.reset()
	return err
}

// field takes in a field of the block that is being received.
func (c *conn) field(f hpack.HeaderField) {
	h := &c.head
	if h.size += int(f.Size()); h.size > memberHeader {
		h.tooLong = true
		c.dec.SetEmitEnabled(false)
		return
	}
	switch {
	case h.malformed != "":
	case !wire.IsValue(f.Value):
		h.malformed = "a field's value"
	case f.IsPseudo():
		if f.Name != ":status" || h.status != "" || len(h.fields) > 0 {
			h.malformed = "a pseudo field"
		}
		h.status = f.Value
	case !frames.LowerToken(f.Name):
		h.malformed = "a field's name"
	default:
		h.add(exchange.Field{Name: f.Name, Value: wire.TrimBlanks(f.Value), ID: wire.IDOf(f.Name)}, c)
	}
}

// add takes a field, by the name that HTTP/1 writes. What concerns a connection has no place here (RFC 9113 section
// 8.2.2).
func (h *head) add(f exchange.Field, c *conn) {
	switch {
	case f.ID == wire.Trailer:
		return
	case f.ID == wire.TE:
		if f.Value != "trailers" {
			h.malformed = "TE"
		}
		return
	case wire.ConnectionField[f.ID]:
		h.malformed = "a connection's field"
		return
	case f.ID == wire.ContentLength:
		n, ok := wire.ParseLength(f.Value)
		if !ok || h.length >= 0 && h.length != n {
			h.malformed = "Content-Length"
		}
		h.length = n
	}
	if f.ID != wire.Other {
		f.Name = f.ID.String()
	} else {
		f.Name = c.canonical(f.Name)
	}
	h.fields = append(h.fields, f)
}

// keptNames is how many names a connection remembers.
const keptNames = 64

// canonical is a name as HTTP/1 writes it (httpd: h2_proxy_util.c h2_proxy_util_camel_case_header).
func (c *conn) canonical(name string) string {
	if own, ok := c.names[name]; ok {
		return own
	}
	b := []byte(name)
	frames.Canonicalize(b)
	own := string(b)
	if c.names == nil {
		c.names = map[string]string{}
	}
	if len(c.names) < keptNames {
		c.names[name] = own
	}
	return own
}

// malformedError is why an answer's head is none (RFC 9113 section 8.1.1).
type malformedError string

func (e malformedError) Error() string { return "http2: malformed head: " + string(e) }

// statusError is a status that is none.
type statusError string

func (e statusError) Error() string { return fmt.Sprintf("http2: status %q", string(e)) }

// tooLongError says that a head is longer than we take.
type tooLongError struct{}

func (tooLongError) Error() string { return "http2: the head is longer than 256 KiB" }

// errInterims says that a member goes on and on with 1xx heads that nobody has taken yet.
var errInterims = errors.New("http2: too many interim answers")

// decoded gives a header block to its stream.
func (c *conn) decoded(h *head) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.find(h.id)
	if s == nil {
		return c.countFutile()
	}
	c.Useful()
	if err := s.takeHead(h); err != nil {
		s.fault = err
		c.reset(c.by, s, http2.ErrCodeProtocol)
	}
	s.event.Set(c.by)
	return nil
}

// takeHead takes in what came for a stream. Under mu.
func (s *stream) takeHead(h *head) error {
	switch {
	case h.tooLong:
		return tooLongError{}
	case h.malformed != "":
		return malformedError(h.malformed)
	case s.ended:
		return malformedError("behind the end")
	case s.here:
		if !h.end || h.status != "" {
			return malformedError("a second head")
		}
		s.tail = append(s.tail, h.fields...)
		return s.endBody()
	}
	n, ok := parseStatus(h.status)
	switch {
	case !ok:
		return malformedError("no status")
	case n < 100 || n > 999:
		return statusError(h.status)
	case n == 101, n < 200 && h.end:
		return malformedError("an interim answer")
	case n < 200 && len(s.interims) == mostInterims:
		return errInterims
	case n < 200:
		s.interims = append(s.interims, interim{n, append([]exchange.Field(nil), h.fields...)})
		return nil
	}
	s.here, s.status, s.declared = true, n, h.length
	s.fields, h.fields = h.fields, s.fields[:0]
	if h.end {
		return s.endBody()
	}
	return nil
}

// parseStatus is the number of a status: three digits.
func parseStatus(s string) (n int, ok bool) {
	if len(s) != 3 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}
