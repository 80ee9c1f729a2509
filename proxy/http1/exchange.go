package http1

import (
	"runtime/debug"
	"time"

	"balancerd/proxy/exchange"
)

// exchange serves the request that was read: the App makes the answer, and it is sent.
func (c *conn) exchange() {
	x := &c.k.x
	c.setState(Serving)
	c.board.begin(x)
	if !c.guarded(x, func() { c.s.app.Serve(c.s.ctx, x) }) {
		bare(x, 500)
	}
	c.send(x)
	c.finish(x)
}

// guarded runs f and tells whether it came to its end. A panic ends this exchange and its connection,
// nothing else.
func (c *conn) guarded(x *exchange.Exchange, f func()) (sound bool) {
	defer func() {
		if sound {
			return
		}
		p := recover()
		c.over, c.broken = true, true
		c.s.log(exchange.Crit, nil, "AH00052: "+panicText(p)+" while serving "+x.Req.Line+"\n"+string(debug.Stack()))
	}()
	f()
	return true
}

func panicText(p any) string {
	switch v := p.(type) {
	case error:
		return "panic: " + v.Error()
	case string:
		return "panic: " + v
	}
	return "panic"
}

// bare makes an answer of a status and nothing else.
func bare(x *exchange.Exchange, status int) {
	x.Res.Clear()
	x.Res.Always.Reset()
	x.Res.Status, x.Res.Local, x.Res.Close = status, true, true
}

// finish ends an exchange: the logs, the sums, and what is left of the request's body.
func (c *conn) finish(x *exchange.Exchange) {
	k := c.k
	x.Res.Read = k.read
	c.guarded(x, func() { c.s.app.Done(c.s.ctx, x) })
	c.now = x.Res.FirstByte
	if c.now.IsZero() || k.long {
		c.now = time.Now()
	}
	took := c.now.Sub(x.Start)
	h := &c.s.shards[c.info.ID%shards]
	h.requests.Add(1)
	h.bytes.Add(x.Res.Wrote)
	h.busy.Add(int64(took))
	c.board.end(x, took)
	if !x.Res.Kept {
		c.over = true
	} else {
		c.info.Kept++
	}
	if c.broken {
		x.Finish()
		return
	}
	k.next()
}

// drainMost is how much of a request's body that nobody read is passed over so that the connection can
// be kept.
const drainMost = 256 << 10

// drainable tells whether the rest of the request's body can be passed over.
func (c *conn) drainable() bool {
	b := &c.k.body
	return b.err == nil && (b.chunked || b.left <= drainMost)
}

// passOver reads what is left of the request's body, and tells whether the next request can be read.
func (c *conn) passOver() bool {
	b := &c.k.body
	b.expects = false
	for n := 0; ; {
		n += len(b.data)
		b.Discard(len(b.data))
		if b.err != nil || n > drainMost {
			return false
		}
		if b.received() {
			return true
		}
		p := c.s.bulks.Get().(*bulk)
		k, err := b.more(p.b[:])
		c.s.bulks.Put(p)
		if n += k; err != nil {
			return false
		}
	}
}

// How long and how much a client that is told to go may still send.
const (
	lingerTime = 2 * time.Second
	lingerMost = 1 << 20
)

// drain ends our direction and reads what the client still sends, so that a reset does not destroy
// the last answer on its way (httpd: connection.c ap_lingering_close).
func (c *conn) drain() {
	c.setState(Closing)
	c.idle()
	if c.closeWrite() != nil {
		return
	}
	p := c.s.bulks.Get().(*bulk)
	defer c.s.bulks.Put(p)
	end := time.Now().Add(lingerTime)
	for n := 0; n < lingerMost; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		k, err := c.read(p.b[:], left)
		if n += k; err != nil || k == 0 {
			return
		}
	}
}
