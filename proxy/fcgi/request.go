package fcgi

import (
	"encoding/binary"

	"balancerd/proxy/backend"
	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
)

// AppendHead is Codec's: BEGIN_REQUEST and the variables (httpd: mod_proxy_fcgi.c send_begin_request,
// send_environment).
func (c *codec) AppendHead(b []byte) ([]byte, error) {
	x := c.x
	r := cgi.Request{Length: -1}
	if !c.s.Body.None() {
		r.Length = c.s.Body.Length()
	}
	set := c.script(&r)
	c.env.Environment(x, &r)
	if set.Edit != nil {
		if err := set.Edit(x); err != nil {
			return b, err
		}
	}
	var flags byte
	if c.keep {
		flags = keepConn
	}
	b = appendLead(b, beginRequest, 8)
	b = append(b, 0, responder, flags, 0, 0, 0, 0, 0)
	return c.appendParams(b), nil
}

// mostParams is how many bytes of variables a record has (httpd: send_environment, avail_len).
const mostParams = 16 << 10

// appendParams appends the variables in as many records as it takes, and the empty one that ends them. One that
// no record can take is left out.
func (c *codec) appendParams(b []byte) []byte {
	start := len(b)
	b = appendLead(b, params, 0)
	env := &c.x.Env
	for i := range env.Len() {
		name, value := env.At(i)
		n := pairSize(name, value)
		switch {
		case n > mostParams:
			c.x.Log(module, exchange.Warn, nil, c.x.Arena.Join("AH02536: couldn't encode envvar '", name, "' in 16384 bytes"))
			continue
		case len(b)-start-leadSize+n > mostParams:
			endParams(b, start)
			start = len(b)
			b = appendLead(b, params, 0)
		}
		b = append(appendSize(appendSize(b, len(name)), len(value)), name...)
		b = append(b, value...)
	}
	if len(b)-start > leadSize {
		endParams(b, start)
		b = appendLead(b, params, 0)
	}
	return b
}

// endParams notes the size of the record that begins at start and is the last one.
func endParams(b []byte, start int) {
	binary.BigEndian.PutUint16(b[start+4:], uint16(len(b)-start-leadSize))
}

// pairSize is how many bytes a variable takes (FastCGI 1.0 section 3.4).
func pairSize(name, value string) int {
	n := 2 + len(name) + len(value)
	if len(name) > 127 {
		n += 3
	}
	if len(value) > 127 {
		n += 3
	}
	return n
}

func appendSize(b []byte, n int) []byte {
	if n <= 127 {
		return append(b, byte(n))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
}

// Unasked is Codec's: the body follows the head.
func (c *codec) Unasked() backend.Credit { return backend.All }

// usualPiece is how much of a body goes into a record where iobuffersize= does not say it.
const usualPiece = 32 << 10

// PieceSize is Codec's.
func (c *codec) PieceSize() int {
	if n := c.s.Worker.Settings().IOBufferSize; n.Set && n.V > 0 {
		return min(n.V, mostBytes)
	}
	return usualPiece
}

// AppendPiece is Codec's.
func (c *codec) AppendPiece(b []byte, n int) []byte { return appendLead(b, stdin, n) }

// AppendPieceEnd is Codec's.
func (c *codec) AppendPieceEnd(b []byte) []byte { return b }

// AppendEnd is Codec's.
func (c *codec) AppendEnd(b []byte) []byte { return appendLead(b, stdin, 0) }
