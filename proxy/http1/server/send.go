package server

import (
	"errors"
	"io"
	"slices"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// sendResponse sends the answer that x.Res holds, and notes what happened.
func (c *conn) sendResponse(x *exchange.Exchange) {
	res := &x.Res
	if res.Drop {
		c.over = true
		status := res.Status
		res.Clear()
		res.Status = status // for the log
		return
	}
	switch {
	case res.Tunnel != nil:
		c.tunnel(x)
		return
	case res.Switch != nil:
		c.switchTo(x)
		return
	}
	f := &c.k.frame
	*f = c.framing(x)
	if !f.simple {
		head, good := c.appendHead(c.outFor(headLen(&x.Res)), x, f)
		if !good {
			c.sendInvalid(x)
			return
		}
		c.k.out = head
	}
	err := c.deliver(x, f)
	if res.Body != nil {
		res.Body.Close()
		res.Body = nil
	}
	res.Kept = f.keep && err == nil && !c.over && c.passOver()
	if !res.Kept {
		c.decideClose(x)
	}
}

// decideClose decides how the connection ends. A client that expects it, and of whom nothing more came in, is
// just told our end, before anything that it may send yet is answered by a reset. From any other one
// more may be on its way.
func (c *conn) decideClose(x *exchange.Exchange) {
	r := &c.k.req
	expected := r.Close || !r.Keep && !r.AtLeast11()
	switch {
	case x.Res.Aborted:
	case expected && c.k.body.received() && c.k.r == c.k.w && c.silent():
		if c.socket() != nil && !c.over { // an answer that broke off ends otherwise
			c.closeWrite()
		}
	default:
		c.linger = true
	}
}

// sendInvalid answers 500 in place of an answer whose fields may not be sent (httpd: http_filters.c
// check_headers).
func (c *conn) sendInvalid(x *exchange.Exchange) {
	x.Log("http", exchange.Error, nil, x.Res.InvalidField())
	c.replaceWithError(x, 500)
}

// replaceWithError sends an own page in place of an answer of which nothing was sent yet; when that fails as
// well, a head alone.
func (c *conn) replaceWithError(x *exchange.Exchange, status int) {
	c.clearOut()
	if c.k.second {
		bare(x, status)
	} else {
		c.k.second = true
		x.Res.Clear()
		x.Res.Always.Reset()
		if !c.guardExchange(x, func() {
			c.s.app.Refuse(c.s.ctx, x, &exchange.Problem{Status: exchange.Status(status)})
		}) {
			bare(x, status)
		}
	}
	c.sendResponse(x)
}

var errShort = errors.New("http1: the body ended before its length")

// errReplaced says that another answer was sent in place of this one.
var errReplaced = errors.New("http1: answered otherwise")

// deliver sends head and body. What is there is sent before anything is waited for.
func (c *conn) deliver(x *exchange.Exchange, f *frame) error {
	if !f.body {
		return c.flush(x)
	}
	d := &c.k.way
	*d = delivery{c: c, x: x, f: f, src: x.Res.Body, left: f.length}
	d.gatherer, _ = d.src.(exchange.Gatherer)
	d.spliced, _ = d.src.(spliceable)
	defer d.done()
	err := d.run()
	switch {
	case err == nil || err == errReplaced:
	case d.broken:
		if !d.started && !f.simple {
			c.k.coarse = true
			c.replaceWithError(x, 502)
			return errReplaced
		}
		c.over = true
		if f.length < 0 && !f.chunked { // the end would look like the body's
			c.reset()
		}
	}
	return err
}

// flush sends what waits in out.
func (c *conn) flush(x *exchange.Exchange) error { return c.push(x, nil) }

// push sends what waits in out and then more.
func (c *conn) push(x *exchange.Exchange, more []byte) error {
	k := c.k
	if len(k.out)+len(more) == 0 {
		return nil
	}
	err := c.write(k.out, more, x.Server.IOTimeout())
	if err != nil {
		x.Res.Aborted, c.over = true, true
		return err
	}
	if x.Res.FirstByte.IsZero() {
		x.Res.FirstByte = time.Now()
	} else {
		k.long = true
	}
	x.Res.Wrote += int64(len(k.out) + len(more))
	c.clearOut()
	return nil
}

// outFor is out with storage for n more bytes.
func (c *conn) outFor(n int) []byte {
	k := c.k
	if n <= cap(k.out)-len(k.out) {
		return k.out
	}
	if k.large != nil || len(k.out)+n > bulkSize {
		return slices.Grow(k.out, n)
	}
	k.large = c.s.bulks.Get().(*bulk)
	return append(k.large.b[:0], k.out...)
}

// clearOut forgets what was to be sent, or is sent.
func (c *conn) clearOut() {
	k := c.k
	k.out = k.own[:0]
	if k.large == nil {
		return
	}
	if !c.broken {
		poison.Bytes(k.large.b[:])
		poison.Put(&c.s.bulks, k.large)
	}
	k.large = nil
}

// delivery is a body on its way to the client.
type delivery struct {
	c        *conn
	x        *exchange.Exchange
	f        *frame
	src      exchange.Source
	gatherer exchange.Gatherer // src, if it can do that
	spliced  spliceable        // src, if it can do that
	left     int64             // bytes still to be sent; -1 unknown
	started  bool              // something was sent
	broken   bool              // the source failed
	piece    *piece
	bulk     *bulk // in place of the piece, once a long body flows
}

// run sends the body to its end.
func (d *delivery) run() error {
	for d.left != 0 {
		held := d.src.Buffered()
		if len(held) == 0 && d.gatherer != nil && !(d.started && d.spliceable()) {
			if err := d.gatherer.Gather(); err != nil {
				return d.end(err)
			}
			held = d.src.Buffered()
		}
		if len(held) > 0 {
			n, err := d.pass(held)
			if err != nil {
				return err
			}
			d.src.Discard(n)
			continue
		}
		if err := d.c.flush(d.x); err != nil {
			return err
		}
		d.started = true
		var err error
		if d.spliceable() {
			err = d.splice()
		} else {
			err = d.wait()
		}
		if err != nil {
			return d.end(err)
		}
	}
	return d.end(io.EOF)
}

func (d *delivery) done() {
	if d.piece != nil {
		d.c.s.givePiece(d.piece)
	}
	if d.bulk != nil {
		poison.Bytes(d.bulk.b[:])
		poison.Put(&d.c.s.bulks, d.bulk)
	}
	*d = delivery{}
}

// flows is how much of a body must be sent before more than a piece of it is held at a time. It is
// about what the system holds for a client that reads nothing.
const flows = 4 << 20

// room is where the next bytes are read.
func (d *delivery) room() []byte {
	switch {
	case d.bulk != nil:
	case d.x.Res.Sent >= flows:
		d.bulk = d.c.s.bulks.Get().(*bulk)
	case d.piece == nil:
		d.piece = d.c.s.pieces.Get().(*piece)
		fallthrough
	default:
		return d.piece.b[:]
	}
	return d.bulk.b[:]
}

// wait reads what comes next.
func (d *delivery) wait() error {
	p := d.room()
	if d.left > 0 && d.left < int64(len(p)) {
		p = p[:d.left]
	}
	n, err := d.src.Read(p)
	if n > 0 {
		if _, werr := d.pass(p[:n]); werr != nil {
			return werr
		}
	}
	return err
}

// pass sends bytes of the body, as many as belong to it.
func (d *delivery) pass(p []byte) (int, error) {
	if d.left > 0 && int64(len(p)) > d.left {
		p = p[:d.left]
	}
	k := d.c.k
	if d.f.chunked {
		k.out = wire.AppendChunkHead(k.out, len(p))
	}
	var err error
	if len(p) <= cap(k.out)-len(k.out)-2 && len(p) <= copied {
		k.out = append(k.out, p...)
	} else {
		err = d.c.push(d.x, p)
	}
	d.started = true
	if err != nil {
		return 0, err
	}
	if d.f.chunked {
		k.out = append(k.out, "\r\n"...)
	}
	d.x.Res.Sent += int64(len(p))
	if d.left > 0 {
		d.left -= int64(len(p))
	}
	return len(p), nil
}

// copied is up to which size bytes are copied behind others rather than written beside them.
const copied = 4 << 10

// end finishes the body, whole or not.
func (d *delivery) end(err error) error {
	switch {
	case d.x.Res.Aborted:
		return err
	case err != io.EOF:
		d.broken = true
		if d.started { // what is there goes out, but not as if it were all
			d.c.flush(d.x)
		}
		return err
	case d.left > 0:
		d.broken = true
		return errShort
	}
	if d.f.chunked {
		d.c.k.out = append(d.c.k.out, wire.LastChunk...)
	}
	return d.c.flush(d.x)
}
