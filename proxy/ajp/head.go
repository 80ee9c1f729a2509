package ajp

import (
	"encoding/binary"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// mostFutile is how many packets in a row may bring nothing of an answer: requests for a body that is over, and
// flushes.
const mostFutile = 10000

// ParseHead is Codec's: a head, and then the packet that begins the answer: a chunk, a flush or the end. Until
// then another member may be tried (httpd: mod_proxy_ajp.c ap_proxy_ajp_request, data_sent).
func (c *codec) ParseHead(in []byte) (used int, event backend.Event, err error) {
	for {
		p, err := c.packet(in[used:])
		if err != nil {
			return used, 0, err
		}
		kind := p[leadSize]
		if c.futile++; c.futile > mostFutile {
			return used, 0, c.s.Fail(backend.BadHead, nil)
		}
		switch {
		case kind == getBody:
			if !c.s.Body.Over() {
				c.futile = 0
			}
			return used + len(p), backend.WantsBody, nil
		case kind == sendHeaders && !c.headers:
			if err := c.readHeaders(p[leadSize+1:]); err != nil {
				return used, 0, err
			}
			c.headers, c.futile = true, 0
			used += len(p)
		case c.headers && (kind == bodyChunk || kind == endResponse):
			if kind == bodyChunk && !c.rightChunk(p) {
				return used, 0, c.s.Fail(backend.BadHead, nil)
			}
			c.futile = 0
			return used, backend.FinalResponse, nil
		case kind == bodyChunk && c.rightChunk(p) && len(p) == leadSize+4: // a flush of nothing
			used += len(p)
		default:
			return used, 0, c.s.Fail(backend.BadHead, nil)
		}
	}
}

// packet is the first packet of in, whole. It is bounded before it is believed.
func (c *codec) packet(in []byte) ([]byte, error) {
	if len(in) >= 2 {
		if mark := binary.BigEndian.Uint16(in); mark != fromOne && mark != toContainer {
			c.badSignature(in)
			return nil, c.fail(errBadLead)
		}
	}
	if len(in) < leadSize {
		return nil, backend.ErrIncomplete
	}
	n := int(binary.BigEndian.Uint16(in[2:]))
	switch {
	case n > c.size-leadSize:
		c.tooBig(n)
		return nil, c.fail(errBadLead)
	case n == 0 && c.pinging:
		c.log("AH01013: ajp_handle_cping_cpong: invalid CPONG message")
		return nil, errPong
	case n == 0:
		c.log("AH00993: ajp_read_header: ajp_msg_peek_uint8 failed")
		return nil, c.fail(nil)
	case len(in) < leadSize+n:
		return nil, backend.ErrIncomplete
	}
	return in[:leadSize+n], nil
}

func (c *codec) badSignature(in []byte) {
	c.logServer("AH01080: ajp_msg_check_header() got bad signature ", hex(in[0]), hex(in[1]))
	c.badHeader()
}

func (c *codec) tooBig(n int) {
	c.logServer("AH01081: ajp_msg_check_header() incoming message is too big ", c.int(n), ", max is ", c.int(c.size-leadSize))
	c.badHeader()
}

func (c *codec) badHeader() {
	c.logServer("AH01031: ajp_ilink_receive() received bad header")
	c.noPacket()
}

// noPacket says that none could be read. A pong has words of its own (ping.go).
func (c *codec) noPacket() {
	if !c.pinging {
		c.log("AH00992: ajp_read_header: ajp_ilink_receive failed")
	}
}

// The numbers that httpd has for packets that are none (ajp.h).
const (
	errOverflow exchange.ModuleError = 120001
	errNoLead   exchange.ModuleError = 120006
	errBadLead  exchange.ModuleError = 120007
	errCutBody  exchange.ModuleError = 120008
)

// Silent is Listener's (httpd: ajp_link.c ajp_ilink_receive).
func (c *codec) Silent(in []byte, err error) error {
	cause := c.cut(len(in) >= leadSize, err)
	c.noPacket()
	return cause
}

// cut says that the connection ended, or went silent, in front of a packet or in one, and returns how its failure is told.
func (c *codec) cut(in bool, err error) error {
	if in {
		c.x.LogServer(module, exchange.Error, err, "AH01032: ajp_ilink_receive() error while receiving message body of length 4")
		return errCutBody
	}
	c.x.LogServer(module, exchange.Error, err, "AH01030: ajp_ilink_receive() can't receive header")
	if backend.IsTimeout(err) {
		return err
	}
	return errNoLead
}

func hex(c byte) string { return string([]byte{"0123456789abcdef"[c>>4], "0123456789abcdef"[c&15]}) }

// rightChunk reports whether the length of a chunk is what its packet has place for.
func (c *codec) rightChunk(p []byte) bool {
	if len(p) < leadSize+3 {
		return false
	}
	return c.rightSize(int(binary.BigEndian.Uint16(p[leadSize+1:])), len(p)-leadSize)
}

func (c *codec) rightSize(n, payload int) bool {
	if n == payload-4 {
		return true
	}
	if payload < 4 {
		c.log("AH10546: ajp_parse_data: Wrong packet length ", c.int(payload))
	} else {
		c.log("AH00998: ajp_parse_data: Wrong chunk length. Length of chunk is ", c.int(n), ", expected length is ", c.int(payload-4), ".")
	}
	return false
}

// readHeaders makes the answer's head of a payload (httpd: ajp_header.c ajp_unmarshal_response).
func (c *codec) readHeaders(p []byte) error {
	res := &c.x.Res
	r := reader{p, true}
	status := r.int()
	reason, null := r.text()
	n := r.int()
	if !r.ok {
		c.log("AH10405: ajp_unmarshal_response: Bad number of headers")
		return c.s.Fail(backend.BadHead, nil)
	}
	if status >= 100 && status < 200 {
		return c.s.Fail(backend.BadHead, nil)
	}
	res.Header.Reset()
	res.Header.F = append(res.Header.F, c.s.Cookies...)
	res.Status, res.Reason, res.Proxied = status, c.x.Arena.Bytes(reason), true
	if status < 100 || status > 999 {
		res.Status, null = 500, true
	}
	if null || !wire.IsValue(res.Reason) {
		res.Reason = exchange.ReasonOf(res.Status)
	}
	for range n {
		if !c.readField(&r) {
			return c.s.Fail(backend.BadHead, nil)
		}
	}
	c.clean()
	return nil
}

// readField reads one field.
func (c *codec) readField(r *reader) bool {
	var name string
	if code := r.coded(); code != 0 {
		if name = answerName(code); name == "" {
			c.log("AH00984: ajp_unmarshal_response: No such sc (", c.int(code), ")")
			return false
		}
	} else if text, null := r.text(); null || !r.ok {
		c.log("AH00985: ajp_unmarshal_response: Null header name")
		return false
	} else {
		name = c.x.Arena.Bytes(text)
	}
	value, null := r.text()
	if null || !r.ok {
		c.log("AH00986: ajp_unmarshal_response: Null header value")
		return false
	}
	h := &c.x.Res.Header
	h.F = append(h.F, exchange.Field{Name: name, Value: c.x.Arena.Bytes(value), ID: wire.IDOf(name)})
	return true
}

// clean takes away what concerns the member's connection, and what is said of the body's length, which its packets
// tell.
func (c *codec) clean() {
	h := &c.x.Res.Header
	named := wire.TokensOf(h.Joined("Connection"), wire.ConnectionSeparators)
	trust, n, kind := c.x.Env.Has(exchange.TrustLength), 0, lastType(h)
	for i := range h.F {
		f := &h.F[i]
		switch {
		case wire.ConnectionField[f.ID], f.ID == wire.ProxyAuthenticate, f.ID == wire.Other && named.Has(f.Name):
			continue
		case f.ID == wire.ContentType && i < kind: // the last one counts
			continue
		case f.ID == wire.ContentLength:
			l, ok := wire.ParseLength(f.Value)
			if !trust || !ok || c.length >= 0 {
				continue
			}
			c.length = l
		}
		if n != i {
			h.F[n] = *f
		}
		n++
	}
	clear(h.F[n:])
	h.F = h.F[:n]
	if c.x.Res.InvalidField() != "" {
		c.clientFailed(nil)
	}
}

// lastType is where the last Content-Type is, -1 for none.
func lastType(h *exchange.Header) int {
	for i := len(h.F) - 1; i >= 0; i-- {
		if h.F[i].ID == wire.ContentType {
			return i
		}
	}
	return -1
}

// Accept is Codec's.
func (c *codec) Accept() (backend.Framing, error) {
	f := backend.Framing{Body: backend.Coded, Length: c.length}
	if c.x.Req.Method == "HEAD" || c.x.HeadOnly || exchange.Bodiless(c.x.Res.Status) {
		f.Body = backend.Dropped
	}
	return f, nil
}
