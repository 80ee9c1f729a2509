package server

import (
	"bytes"
	"errors"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// head reads the next request's head from what was received and makes an exchange of it. false: it is
// not whole, or it was refused.
func (c *conn) head() bool {
	if c.announces && !c.takeProxyHeader() {
		return false
	}
	k := c.k
	if k.scan.Tried == 0 {
		c.server = c.s.app.Default(c.info.Local)
	} else if !k.scan.Due(k.have(), wire.EmptyLine) {
		return false
	}
	n, err := wire.ParseRequest(k.have(), c.ruleSet(), &k.req, &k.x.Req.Header)
	switch {
	case err == wire.ErrIncomplete:
		k.scan.Tried = len(k.have())
		return false
	case err != nil:
		c.refuse(err)
		return false
	}
	k.scan = wire.HeadScan{}
	k.r += n
	k.read = int64(n)
	c.headBy = limit{}
	c.present(time.Now())
	k.body.begin(c, &k.req)
	return true
}

// ruleSet is what holds for heads on this connection.
func (c *conn) ruleSet() *wire.Rules {
	if c.ruled != c.server {
		c.ruled = c.server
		c.rules = c.server.Rules(c.info.Secure)
	}
	return &c.rules
}

// present makes k.x the exchange of the request that was read, as far as it was.
func (c *conn) present(now time.Time) {
	x, r := &c.k.x, &c.k.req
	x.Conn, x.Task, x.Front, x.Server = &c.info, c.served(), c, c.server
	x.ClientIP = c.info.RemoteIP
	x.Start = now
	x.HeadOnly = r.Method == "HEAD"
	q := &x.Req
	q.Line, q.Method, q.Target = r.Line, r.Method, r.Target
	q.Major, q.Minor = r.Major, r.Minor
	q.Scheme = "http"
	if c.info.Secure {
		q.Scheme = "https"
	}
	q.Authority, q.Host, q.Port = r.Authority, r.Host, r.Port
	q.RawPath, q.Query, q.HasQuery = r.RawPath, r.Query, r.HasQuery
	q.Length, q.Body = r.Length, &c.k.body
	q.Expect100, q.Upgrade = r.Expect100, r.Upgrade
}

// refuse answers a request that cannot be served; nothing after it is read (httpd: protocol.c
// ap_read_request).
func (c *conn) refuse(err error) {
	if c.speaksHTTP2() {
		return
	}
	var f *wire.Refusal
	if !errors.As(err, &f) {
		f = &wire.Refusal{Status: 400}
	}
	c.turnAway(f, true)
}

// turnAway makes and, if it is to be shown, sends the page of a refusal.
func (c *conn) turnAway(f *wire.Refusal, show bool) {
	k := c.k
	k.read = int64(k.w - k.r)
	k.r = k.w
	c.over, c.linger = true, show
	c.present(time.Now())
	k.body.begin(c, &wire.Request{})
	x := &k.x
	x.Req.Broken = !f.Whole
	if x.Req.Target == "" && x.Req.Line != "" { // httpd reads no further than an invalid request line
		k.read = min(k.read, int64(len(x.Req.Line)+2))
	}
	if x.Req.Major == 0 && f.Status != 408 {
		x.Req.Major, x.Req.Minor = 1, 0
	}
	if f.Message != "" {
		x.Log("core", exchange.Level(f.Level), nil, f.Message)
	}
	c.setState(Serving)
	c.stats.begin(x)
	sound := c.guardExchange(x, func() { c.s.app.Refuse(c.s.ctx, x, &exchange.Problem{Status: exchange.Status(f.Status), Note: f.Note}) })
	x.Res.Close = true
	if !sound {
		c.answerPanicked(x)
	}
	if show {
		c.send(x)
	} else {
		x.Res.Clear()
		x.Res.Status = f.Status
	}
	c.finish(x)
}

// late is the end of the client's time. Between requests it ends the connection and nothing else; a
// client that never said a whole line is told nothing, but the log is (httpd: protocol.c
// read_request_line, ap_read_request).
func (c *conn) late() {
	whole := c.partial() && bytes.IndexByte(c.k.have(), '\n') >= 0
	if !whole && c.info.Kept > 0 {
		return
	}
	k := c.acquireBuffers()
	if whole {
		wire.ParseRequest(k.have(), c.ruleSet(), &k.req, &k.x.Req.Header) // for what is known of it
	}
	c.turnAway(&wire.Refusal{Status: 408, Level: wire.Info, Message: c.lateText()}, whole)
}

func (c *conn) lateText() string {
	if c.server.HeaderRead.Timeout <= 0 {
		return ""
	}
	return "AH01382: Request header read timeout"
}

// cutHead is the client's end in the middle of a head: what was begun is not answered unless its line
// was whole (httpd: protocol.c ap_get_mime_headers_core).
func (c *conn) cutHead() {
	if bytes.IndexByte(c.k.have(), '\n') < 0 {
		return
	}
	wire.ParseRequest(c.k.have(), c.ruleSet(), &c.k.req, &c.k.x.Req.Header)
	c.turnAway(&wire.Refusal{Status: 400, Level: wire.Debug, Message: "AH00567: request failed: error reading the headers"}, true)
}
