package ajp

import (
	"encoding/binary"
	"errors"
	"io"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// partSize is how much of a packet's beginning tells what it is; all of one without data.
const partSize = leadSize + 4

var (
	errPacket = errors.New("ajp: a packet that has no place in an answer's body")
	errLength = errors.New("ajp: the body is not as long as its Content-Length")
)

// Decode is Codec's: it takes chunks apart.
func (c *codec) Decode(p []byte) (n, used int, err error) {
	for used < len(p) {
		switch {
		case c.data > 0:
			k := min(c.data, len(p)-used)
			copy(p[n:], p[used:used+k])
			c.data, c.body, n, used = c.data-k, c.body+int64(k), n+k, used+k
			if c.length >= 0 && c.body > c.length {
				return n, used, errLength
			}
			continue
		case c.tail:
			c.tail = false
			used++
			continue
		}
		c.part[c.have] = p[used]
		c.have++
		used++
		if err := c.look(); err != nil {
			return n, used, err
		}
	}
	return n, used, nil
}

// look looks at the beginning of a packet, after each byte of it.
func (c *codec) look() error {
	p := c.part[:c.have]
	if len(p) < leadSize {
		return nil
	}
	mark, size := binary.BigEndian.Uint16(p), int(binary.BigEndian.Uint16(p[2:]))
	if len(p) == leadSize {
		switch {
		case mark != fromOne && mark != toContainer:
			c.badSignature(p)
			return errBadLead
		case size > c.size-leadSize:
			c.tooBig(size)
			return errBadLead
		case size == 0:
			c.log("AH00993: ajp_read_header: ajp_msg_peek_uint8 failed")
			return errPacket
		}
		return nil
	}
	switch kind := p[leadSize]; {
	case kind == bodyChunk && len(p) == leadSize+3:
		return c.begin(int(binary.BigEndian.Uint16(p[leadSize+1:])), size)
	case kind == bodyChunk && size >= 3:
		return nil
	case size > partSize-leadSize:
		return errPacket
	case len(p) < leadSize+size:
		return nil
	}
	return c.whole(p[leadSize:])
}

// begin begins a chunk of n bytes.
func (c *codec) begin(n, payload int) error {
	if !c.rightSize(n, payload) {
		return errPacket
	}
	c.data, c.tail, c.have = n, true, 0
	if c.futile++; n > 0 {
		c.futile = 0
	}
	return c.bounded()
}

func (c *codec) bounded() error {
	if c.futile > mostFutile {
		return errPacket
	}
	return nil
}

// whole takes a packet without data.
func (c *codec) whole(p []byte) error {
	c.have = 0
	switch {
	case p[0] == getBody && len(p) == 3:
		if c.futile++; !c.s.Body.Over() {
			c.futile = 0
		}
		if c.futile > mostFutile {
			return errPacket
		}
		return backend.ErrWantsBody
	case p[0] == endResponse && len(p) >= 2:
		c.ended, c.keeps = true, p[1] != 0
		if c.length >= 0 && c.body < c.length && c.x.Req.Method != "HEAD" && !exchange.Bodiless(c.x.Res.Status) {
			return io.ErrUnexpectedEOF
		}
		return io.EOF
	}
	return errPacket
}

// lost reports whether an error is the connection's, not what a packet of it said.
func (c *codec) lost(err error) bool {
	var own exchange.ModuleError
	return err != errPacket && err != errLength && !errors.As(err, &own)
}

// Broken is Codec's. What a member asks for of the request's body may fail as well: a client that leaves or stalls is told
// as such (httpd: mod_proxy_ajp.c ap_proxy_ajp_request, client_failed), and nothing of what is malformed.
func (c *codec) Broken(err error) {
	var feed *backend.Failure
	switch asked := errors.As(err, &feed); {
	case asked && feed.Kind == backend.ClientBody:
		if exchange.ErrnoText(feed.Err) != "" {
			c.clientFailed(feed.Err)
		}
		return
	case !asked && !c.ended && c.lost(err):
		err = c.cut(c.data > 0 || c.tail || c.have >= leadSize, err)
		c.noPacket()
	}
	c.x.Log(module, exchange.Error, err, c.x.Arena.Join("AH00893: dialog to ", c.place(), " failed"))
}

func (c *codec) clientFailed(err error) {
	c.x.Log(module, exchange.Error, err, c.x.Arena.Join("AH02822: dialog with client ", c.x.Conn.RemoteText, " failed"))
}
