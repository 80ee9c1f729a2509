package server

import (
	"io"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// exchange serves the request that was read: the App makes the answer, and it is sent.
func (c *conn) exchange() {
	x := &c.k.x
	c.setState(Serving)
	c.stats.begin(x)
	if !c.guardExchange(x, func() { c.s.app.Serve(c.s.ctx, x) }) {
		c.answerPanicked(x)
	}
	c.send(x)
	c.finish(x)
}

// answerPanicked makes a 500 of what a panic left, if need be without what panics when it is closed.
func (c *conn) answerPanicked(x *exchange.Exchange) {
	if !c.guardExchange(x, func() { bare(x, 500) }) {
		bare(x, 500)
	}
}

// send sends the answer. One that panics is cut, or a 500 while nothing of it is out.
func (c *conn) send(x *exchange.Exchange) {
	if c.guardExchange(x, func() { c.sendResponse(x) }) {
		return
	}
	x.Res.Kept = false
	if !x.Res.FirstByte.IsZero() || x.Res.IsSwitch() {
		x.Res.Aborted = true
		c.reset()
		return
	}
	c.clearOut()
	c.answerPanicked(x)
	c.guardExchange(x, func() { c.sendResponse(x) })
}

// guardExchange runs f and reports whether it came to its end. A panic ends this exchange and its connection,
// nothing else.
func (c *conn) guardExchange(x *exchange.Exchange, f func()) (sound bool) {
	defer func() {
		if sound {
			return
		}
		c.panicked(recover(), x.Req.Line)
	}()
	f()
	return true
}

// panicked notes a panic, with where it was.
func (c *conn) panicked(p any, line string) {
	c.over, c.broken, c.switched = true, true, false
	c.s.panicked(p, " while serving "+line)
}

func (s *Server) panicked(p any, where string) {
	s.log(exchange.Crit, nil, recovery.Message(p, where))
}

// guardConnection, deferred, ends a connection for a panic outside of its exchanges, and nothing else.
func (c *conn) guardConnection() {
	if p := recover(); p != nil {
		c.panicked(p, c.info.RemoteText)
	}
}

// nobody has nothing to close.
type nobody struct{}

// Close does nothing.
func (nobody) Close() error { return nil }

// guardAccept, deferred, ends a connection for a panic before it was served.
func (s *Server) guardAccept(nc io.Closer) {
	if p := recover(); p != nil {
		nc.Close()
		s.panicked(p, " before a connection was served")
	}
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
	k.body.merge()
	c.guardExchange(x, func() { c.s.app.Done(c.s.ctx, x) })
	c.now = x.Res.FirstByte
	if c.now.IsZero() || k.long {
		c.now = time.Now()
	}
	took := c.now.Sub(x.Start)
	h := &c.s.shards[c.info.ID%shards]
	h.requests.Add(1)
	h.bytes.Add(x.Res.Wrote)
	h.busy.Add(int64(took))
	c.stats.end(x, took)
	if !x.Res.Kept {
		c.over = true
	} else {
		c.info.Kept++
	}
	if c.broken {
		x.Finish()
		return
	}
	c.clearOut()
	k.next()
}

// drainMost is how much of a request's body that nobody read is passed over so that the connection can
// be kept.
const drainMost = 256 << 10

// drainable reports whether the rest of the request's body can be passed over.
func (c *conn) drainable() bool {
	b := &c.k.body
	return b.err == nil && (b.chunked || b.left <= drainMost)
}

// passOver reads what is left of the request's body, and reports whether the next request can be read.
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
		k, err := b.more(c.k.own[:cap(c.k.own)]) // nothing waits in it to be sent
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
	c.releaseBuffers()
	c.acquireBuffers()
	if c.closeWrite() != nil {
		return
	}
	p := c.s.pieces.Get().(*piece)
	defer c.s.givePiece(p)
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
