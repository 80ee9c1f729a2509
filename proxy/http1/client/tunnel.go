package client

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/tunnel"
)

// upgrade makes a tunnel of a 101, if it switches to what was asked for (RFC 9110 section 7.8;
// httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (a *answer) upgrade() error {
	x := a.x
	h := &x.Res.Header
	token := h.GetID(wire.Upgrade)
	if token == "" || x.Out.Upgrade == "" || !wire.EqualFold(token, x.Out.Upgrade) {
		f := a.fail(backend.WrongUpgrade, nil)
		f.Detail = printable(orNone(token)) + " (expecting " + printable(orNone(x.Out.Upgrade)) + ")"
		return f
	}
	if !fit(h) {
		return a.fail(backend.BadHead, nil)
	}
	a.framing = wire.Framing{Body: wire.UntilClose, Length: -1}
	a.clean(h)
	h.F = append(h.F, exchange.Field{Name: "Connection", Value: "Upgrade", ID: wire.Connection},
		exchange.Field{Name: "Upgrade", Value: token, ID: wire.Upgrade})
	x.Res.Status, x.Res.Reason, x.Res.Proxied = 101, a.res.Reason, true
	x.Res.Length, x.Res.Body, x.Res.Tunnel = -1, nil, (*joint)(a)
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "n/a"
	}
	return s
}

// joint is an answer as the member's side of a tunnel.
type joint answer

// Join copies both ways until the tunnel is over. What the member sent behind its head comes first.
func (j *joint) Join(client exchange.Stream) {
	a := (*answer)(j)
	a.conn.Worker().AddTraffic(a.conn.Sent(), a.read)
	o := tunnel.Options{Idle: a.call.Idle, Whole: !a.call.HalfClose, FromMember: a.buf[a.r:a.w]}
	if p, ok := client.(exchange.Preread); ok {
		o.FromClient = p.TakePreread()
	}
	tunnel.Join(client, a.conn.Stream(), o)
	a.conn.Release(false)
	a.conn = nil
}

// Close gives the member's side up.
func (j *joint) Close() error { return (*answer)(j).Close() }

var _ exchange.Tunnel = (*joint)(nil)
