package server

import (
	"bytes"
	"net"
	"time"

	"balancerd/proxy/exchange"
)

// Other is another protocol that a connection may turn out to speak: HTTP/2.
type Other interface {
	// Serve serves a connection to its end and closes it. info stays as it is meanwhile. asked is the Switch of the answer
	// that the connection goes on behind, nil without one.
	Serve(nc net.Conn, info *exchange.Conn, b *Reporter, asked any)
}

// Reporter is where another protocol says what a connection's exchanges do. Many goroutines may use it
// until Other.Serve returns.
type Reporter struct{ c *conn }

// Begin is the begin of an exchange.
func (b *Reporter) Begin(x *exchange.Exchange) {
	b.c.setState(Serving)
	b.c.stats.begin(x)
	b.c.stats.speaks(b.c.info.Secure)
}

// speaks notes that the connection's protocol is HTTP/2.
func (b *connStats) speaks(secure bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.protocol = exchange.H2C
	if secure {
		b.protocol = exchange.H2
	}
}

// End is its end; idle: no other one is under way.
func (b *Reporter) End(x *exchange.Exchange, took time.Duration, idle bool) {
	h := &b.c.s.shards[b.c.info.ID%shards]
	h.requests.Add(1)
	h.bytes.Add(x.Res.Wrote)
	h.busy.Add(int64(took))
	b.c.stats.end(x, took)
	if idle {
		b.c.setState(KeepAlive)
	}
}

// preface is the part of HTTP/2's preface that is a head to HTTP/1 (RFC 9113 section 3.4).
var preface = []byte("PRI * HTTP/2.0\r\n\r\n")

// speaksHTTP2 reports whether what was refused as a request is the beginning of HTTP/2, where that is wanted; or the
// connection's end, when it is waited for.
func (c *conn) speaksHTTP2() bool {
	if c.s.other == nil || c.info.Kept > 0 || !c.server.Direct(c.info.Secure) {
		return false
	}
	for len(c.k.have()) < len(preface) && bytes.HasPrefix(preface, c.k.have()) {
		if !c.fill() {
			return true
		}
	}
	if !bytes.HasPrefix(c.k.have(), preface) {
		return false
	}
	c.over, c.switched = true, true
	return true
}

// switchTo sends the head of a 101, behind which the other protocol goes on.
func (c *conn) switchTo(x *exchange.Exchange) {
	c.appendSwitch(x)
	if c.s.other != nil && c.push(x, nil) == nil {
		c.switched, c.asked = true, x.Res.Switch
	}
}

// switchProtocol has the other protocol serve the connection, with what was read of it.
func (c *conn) switchProtocol() {
	defer c.guardConnection()
	nc := c.leaveAsConn()
	c.handOver(&exchange.Replay{Conn: nc, First: append([]byte(nil), c.k.have()...)})
}

// handOver has the other protocol serve nc, this connection's client.
func (c *conn) handOver(nc net.Conn) {
	c.releaseBuffers()
	c.over = true
	c.setInterrupt(cutOnly{nc})
	c.setState(KeepAlive)
	c.s.other.Serve(nc, &c.info, &Reporter{c}, c.takeAsked())
	c.setInterrupt(nil)
}

// takeAsked is asked, which is not kept as long as the connection: it holds a whole head.
func (c *conn) takeAsked() any {
	asked := c.asked
	c.asked = nil
	return asked
}

// cutOnly is a connection that can be cut off, but not woken: the other protocol says goodbye by itself.
type cutOnly struct{ net.Conn }

func (cutOnly) wake(bool) {}

func (o cutOnly) cut() { o.SetDeadline(longAgo) }
