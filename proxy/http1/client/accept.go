package client

import (
	"slices"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// Accept is Codec's.
func (c *codec) Accept() (backend.Framing, error) {
	if c.res.Status == 101 {
		return backend.Framing{Body: backend.TunnelKind}, c.acceptUpgrade()
	}
	c.logBadHead()
	res := &c.x.Res
	c.framing = wire.ResponseFraming(c.res.Status, c.x.Req.Method == "HEAD" || c.x.HeadOnly, &res.Header)
	check := c.s.Call.Check != nil
	switch {
	case c.framing.Body == wire.Unclear && check && c.x.HeadOnly: // nobody asks for it
		c.framing = wire.Framing{Body: wire.NoBody, Length: -1}
	case c.framing.Body == wire.Unclear:
		return backend.Framing{}, c.fail(backend.BadFraming, c.framing.Why)
	}
	if check { // its conditions see all fields, as they came
		res.Status, res.Reason = c.res.Status, c.res.Reason
		return c.bodyFraming(), nil
	}
	up := ""
	if c.res.Seen.Has(wire.Upgrade, wire.Upgrade) {
		up = res.Header.GetID(wire.Upgrade)
	}
	c.closes = c.clean(&res.Header)
	c.addCookies(&res.Header)
	if up != "" && c.offersUpgrade(up) {
		addUpgrade(&res.Header, up)
	}
	res.Status, res.Reason, res.Proxied, res.Wordless = c.res.Status, c.res.Reason, true, c.res.Reason == ""
	return c.bodyFraming(), nil
}

// bodyFraming is where the body ends, for the stream.
func (c *codec) bodyFraming() backend.Framing {
	f := backend.Framing{Length: c.framing.Length}
	switch c.framing.Body {
	case wire.NoBody:
		f.Body = backend.NoBody
	case wire.Counted:
		f.Body = backend.Counted
	case wire.InChunks:
		f.Body = backend.Coded
		c.limits = c.x.Server.Rules(false)
		c.chunks.Reset(&c.limits)
	default:
		f.Body = backend.ToEnd
	}
	return f
}

// addCookies puts the cookies that modules had set before the member's.
func (c *codec) addCookies(h *exchange.Header) {
	if len(c.s.Cookies) == 0 {
		return
	}
	at := h.IndexID(wire.SetCookie)
	if at < 0 {
		at = h.Len()
	}
	h.F = slices.Insert(h.F, at, c.s.Cookies...)
}

func addUpgrade(h *exchange.Header, token string) {
	h.F = append(h.F, exchange.Field{Name: "Connection", Value: "Upgrade", ID: wire.Connection},
		exchange.Field{Name: "Upgrade", Value: token, ID: wire.Upgrade})
}

// logBadHead tells the log of lines that are no fields, as ProxyBadHeader has let them pass.
func (c *codec) logBadHead() {
	x := c.x
	if c.res.Stray > 0 {
		x.Log("proxy_http", exchange.Warn, nil, x.Arena.Join("AH01100: Ignoring bogus HTTP header returned by ", x.Req.Path, " (", x.Req.Method, ")"))
	}
	if !c.res.InBody {
		return
	}
	text := "AH01098: Starting body due to bogus non-header in headers returned by "
	if x.Res.Header.Len() == 0 {
		text = "AH01099: No HTTP headers returned by "
	}
	x.Log("proxy_http", exchange.Warn, nil, x.Arena.Join(text, x.Req.Path, " (", x.Req.Method, ")"))
}

// offersUpgrade reports whether the client may learn that the member would upgrade.
func (c *codec) offersUpgrade(token string) bool {
	allowed := c.s.Worker.Settings().Upgrade
	if allowed == "" {
		s := c.s.Conn().Scheme()
		return (s == "ws" || s == "wss") && wire.EqualFold(token, "websocket")
	}
	return wire.MayUpgrade(allowed, token)
}

// acceptUpgrade accepts a 101, if it switches to what was asked for (RFC 9110 section 7.8;
// httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (c *codec) acceptUpgrade() error {
	x := c.x
	h := &x.Res.Header
	token := h.GetID(wire.Upgrade)
	if token == "" || x.Out.Upgrade == "" || !wire.EqualFold(token, x.Out.Upgrade) {
		return c.fail(backend.WrongUpgrade, printable(orNone(token))+" (expecting "+printable(orNone(x.Out.Upgrade))+")")
	}
	if !h.Valid() {
		return c.fail(backend.BadHead, "")
	}
	c.framing = wire.Framing{Body: wire.UntilClose, Length: -1}
	c.clean(h)
	addUpgrade(h, token)
	x.Res.Status, x.Res.Reason, x.Res.Proxied = 101, c.res.Reason, true
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "n/a"
	}
	return s
}
