package client

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// AppendHead appends the head of x.Out: Host, its fields, then what says where the body ends, then
// Connection (httpd: mod_proxy_http.c ap_proxy_http_prefetch, terminate_headers).
func (c *codec) AppendHead(b []byte) ([]byte, error) {
	o := c.out
	good := wire.IsWord(o.Method) && wire.IsWord(o.Target) && wire.IsValue(o.Host)
	b = append(b, o.Method...)
	b = append(b, ' ')
	b = append(b, o.Target...)
	if o.Minor == 0 {
		b = append(b, " HTTP/1.0\r\n"...)
	} else {
		b = append(b, " HTTP/1.1\r\n"...)
	}
	b = wire.AppendField(b, "Host", o.Host)
	for i := range o.Header.F {
		f := &o.Header.F[i]
		good = good && f.Name != "" && wire.IsValue(f.Name) && wire.IsValue(f.Value)
		b = wire.AppendField(b, f.Name, f.Value)
	}
	if o.Expect || o.Ping {
		v := c.x.Req.Header.GetID(wire.Expect)
		good = good && wire.IsValue(v)
		b = appendExpect(b, v)
	}
	b = append(c.appendConnection(c.appendLength(b)), "\r\n"...)
	if !good {
		c.x.Log("proxy_http", exchange.Error, nil, "AH10408: the request to the member holds a text that no head may hold")
		return b, exchange.Status(500)
	}
	return b, nil
}

// appendLength appends the field that says where the body ends (httpd: mod_proxy_http.c add_cl,
// add_te_chunked).
func (c *codec) appendLength(b []byte) []byte {
	switch body := c.s.Body; {
	case body.None():
		return b
	case body.Length() < 0:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	default:
		b = append(b, "Content-Length: "...)
		b = wire.AppendInt(b, body.Length())
		return append(b, "\r\n"...)
	}
}

// chunked reports whether the body goes out in chunks.
func (c *codec) chunked() bool { return c.s.Body.Length() < 0 }

// Unasked is Codec's: with Expect the member is asked first.
func (c *codec) Unasked() backend.Credit {
	if c.out.Expect || c.out.Ping {
		return backend.Offered
	}
	return backend.All
}

// PieceSize is Codec's.
func (c *codec) PieceSize() int { return 0 }

// AppendPiece is Codec's.
func (c *codec) AppendPiece(b []byte, n int) []byte {
	if c.chunked() {
		b = wire.AppendChunkHead(b, n)
	}
	return b
}

// AppendPieceEnd is Codec's.
func (c *codec) AppendPieceEnd(b []byte) []byte {
	if c.chunked() {
		b = append(b, "\r\n"...)
	}
	return b
}

// AppendEnd is Codec's.
func (c *codec) AppendEnd(b []byte) []byte {
	if c.chunked() {
		b = append(b, wire.LastChunk...)
	}
	return b
}

// appendExpect appends the client's Expect, or what RequestHeader made of it, and what is missing there
// (httpd: proxy_util.c ap_proxy_create_hdrbrgd).
func appendExpect(b []byte, value string) []byte {
	b = append(b, "Expect: "...)
	b = append(b, value...)
	switch {
	case wire.Lists(value, "100-continue"):
	case value != "":
		b = append(b, ", 100-Continue"...)
	default:
		b = append(b, "100-Continue"...)
	}
	return append(b, "\r\n"...)
}

func (c *codec) appendConnection(b []byte) []byte {
	o := c.out
	switch {
	case o.Bare:
		return b
	case o.Upgrade != "":
		b = append(b, "Connection: Upgrade\r\n"...)
		return wire.AppendField(b, "Upgrade", o.Upgrade)
	case c.mayAsk():
		return append(b, "Connection: Keep-Alive\r\n"...)
	}
	return append(b, "Connection: close\r\n"...)
}

// mayAsk reports whether the member is asked to keep the connection.
func (c *codec) mayAsk() bool { return !c.out.Close && c.s.Conn().Keepable() }
