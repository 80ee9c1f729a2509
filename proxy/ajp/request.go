package ajp

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/internal/wire"
)

// AppendHead is Codec's: FORWARD REQUEST (httpd: ajp_header.c ajp_marshal_into_msgb).
func (c *codec) AppendHead(b []byte) ([]byte, error) {
	x, start := c.x, len(b)
	method, known := methods[x.Req.Method]
	if !known {
		method = storedMethod
	}
	b = append(begin(b, 0), forwardRequest, method)
	b = appendText(b, x.Req.ProtoText())
	b = appendText(b, x.Out.Target)
	b = appendText(b, x.ClientIP)
	if host := expr.RemoteHost(x); host != x.ClientIP {
		b = appendText(b, host)
	} else {
		b = appendNull(b)
	}
	b = appendText(b, x.ServerName())
	b = appendInt(b, int(x.Conn.Local.Port()))
	b = append(b, secure(x))
	b, what := c.appendFields(b)
	if what == "" {
		b, what = c.appendAttributes(b, known)
	}
	if b = append(b, attributesEnd); what == "" && len(b)-start > c.size {
		what = "AH00982: ajp_marshal_into_msgb: Error appending the message end"
	}
	if what != "" {
		return b, c.tooLarge(what, len(b)-start)
	}
	finish(b, start)
	return b, nil
}

func secure(x *exchange.Exchange) byte {
	if x.Conn.Secure {
		return 1
	}
	return 0
}

// tooLarge refuses a request that no packet can take.
func (c *codec) tooLarge(what string, n int) error {
	c.logServer("AH03229: ajp_msg_append_cvt_string(): BufferOverflowException ", c.int(n), " ", c.int(c.size))
	c.log(what)
	c.log("AH00988: ajp_send_header: ajp_marshal_into_msgb failed")
	c.x.Log(module, exchange.Error, errOverflow, c.x.Arena.Join("AH00868: request failed to ", c.place()))
	return exchange.Status(400)
}

// full is what the log says of a packet that is, when name or value of a field do not fit.
const (
	fullName  = "AH00970: ajp_marshal_into_msgb: Error appending the header name"
	fullValue = "AH00971: ajp_marshal_into_msgb: Error appending the header value"
)

// appendFields appends the client's fields, as they are but for those that concern its connection alone.
func (c *codec) appendFields(b []byte) (_ []byte, full string) {
	h := &c.x.Req.Header
	named := wire.TokensOf(h.Joined("Connection"), wire.ConnectionSeparators)
	at, n := len(b), 0
	b = appendInt(b, 0)
	for i := range h.F {
		f := &h.F[i]
		if local[f.ID] || c.x.Req.Spent && framing[f.ID] || f.ID == wire.Other && named.Has(f.Name) {
			continue
		}
		n++
		if code := requestCode(f.Name); code != 0 {
			b = appendInt(b, code)
		} else {
			b = appendText(b, f.Name)
		}
		if len(b) > c.size {
			return b, fullName
		}
		if b = appendText(b, f.Value); len(b) > c.size {
			return b, fullValue
		}
	}
	if c.x.Req.Length < 0 && h.IndexID(wire.TransferEncoding) < 0 { // of HTTP/2
		b = appendText(appendText(b, "Transfer-Encoding"), "chunked")
		n++
	}
	b[at], b[at+1] = byte(n>>8), byte(n)
	return b, ""
}

// local are fields that concern the client's connection alone (RFC 9110 section 7.6.1). Connection itself stays:
// containers look at it.
var local = [256]bool{wire.ProxyConnection: true, wire.KeepAlive: true, wire.TE: true, wire.Trailer: true, wire.Upgrade: true}

// framing are fields by which the container waits for a body. Of one that another answer has taken nothing is left: of
// a POST whose error is answered by a document that is a member's.
var framing = [256]bool{wire.ContentLength: true, wire.TransferEncoding: true}

// chunked reports whether the body's length is not known: the container asks for it from the beginning.
func (c *codec) chunked() bool { return c.x.Req.Length < 0 }

// Unasked is Codec's: one packet follows, if the body's length is known.
func (c *codec) Unasked() backend.Credit {
	if c.chunked() || c.s.Body.None() || c.s.Body.Length() == 0 {
		return backend.Nothing
	}
	return backend.OnePiece
}

// PieceSize is Codec's.
func (c *codec) PieceSize() int { return c.size - leadSize - 2 }

// AppendPiece is Codec's.
func (c *codec) AppendPiece(b []byte, n int) []byte { return appendInt(begin(b, n+2), n) }

// AppendPieceEnd is Codec's.
func (c *codec) AppendPieceEnd(b []byte) []byte { return b }

// AppendEnd is Codec's: an empty packet.
func (c *codec) AppendEnd(b []byte) []byte { return c.AppendPiece(b, 0) }
