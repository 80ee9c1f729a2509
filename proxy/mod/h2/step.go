package h2

import (
	"context"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	for _, h := range s.Hosts {
		fill(c, h)
	}
	return nil, nil
}

func opener(upgrade func(*exchange.Exchange) any) func(*directive.Config, *site.Site) (site.Builder, error) {
	return func(c *directive.Config, s *site.Site) (site.Builder, error) {
		clear := false
		for _, h := range s.Hosts {
			clear = clear || h.Server.Speaks(exchange.H2C)
		}
		loaded := c.Loaded("mod_http2.c")
		return func(chain []*directive.Scope, p *site.Plan) error {
			p.Add(site.Reply, "Protocols", announce)
			if !loaded {
				return nil
			}
			d := dirs.Merged(chain...)
			if fields := append(d.links[:len(d.links):len(d.links)], d.hints...); len(fields) > 0 {
				p.Add(site.Fixup, "H2EarlyHint", hint(fields))
			}
			if clear && d.upgrade.Or(true) {
				p.Add(site.Fixup, "Protocols", ask)
				p.HandlerFor(switching, switchOver(upgrade))
			}
			p.Add(site.Fixup, "variables", variables)
			return nil
		}, nil
	}
}

// hint sends 103 Early Hints (RFC 8297; httpd: h2_c2.c check_early_hints).
func hint(fields []exchange.Field) exchange.Step {
	return func(_ context.Context, x *exchange.Exchange) error {
		if x.Req.Major == 2 && !x.Req.Expect100 && x.Main() {
			x.Front.Interim(103, "", &exchange.Header{F: fields})
		}
		return nil
	}
}

// variables says that this is HTTP/2 (httpd: mod_http2.c h2_h2_fixups). Nothing is ever pushed.
func variables(_ context.Context, x *exchange.Exchange) error {
	if x.Req.Major != 2 {
		return nil
	}
	id := x.Arena.Int(int64(x.Req.Stream))
	e := &x.Env
	e.Set("HTTP2", "on")
	e.Set("H2PUSH", "off")
	e.Set("H2_PUSH", "off")
	e.Set("H2_PUSHED", "")
	e.Set("H2_PUSHED_ON", "")
	e.Set("H2_STREAM_ID", id)
	e.Set("H2_STREAM_TAG", x.Arena.Join(x.Arena.Int(int64(x.Conn.ID)), "-", id))
	return nil
}

// switching is the handler of requests that ask for h2c.
const switching = "http2-upgrade"

// ask chooses the handler of a request that asks for h2c, if it has no body and its virtual host lets
// that in (httpd: h2_switch.c h2_protocol_propose).
func ask(_ context.Context, x *exchange.Exchange) error {
	if x.Req.Upgrade && asks(x) {
		x.Handler = switching
	}
	return nil
}

// switchOver answers with 101 and goes on in HTTP/2 (httpd: core.c core_upgrade_handler).
func switchOver(upgrade func(*exchange.Exchange) any) exchange.HandlerFunc {
	return func(_ context.Context, x *exchange.Exchange) error {
		first := upgrade(x)
		if first == nil {
			return exchange.Status(400)
		}
		x.Res.Status, x.Res.Local, x.Res.Switch = 101, true, first
		x.Res.Header.Add("Upgrade", exchange.H2C)
		x.Res.Header.Add("Connection", "Upgrade")
		return nil
	}
}

func asks(x *exchange.Exchange) bool {
	q := &x.Req
	h := &q.Header
	return q.Major == 1 && !x.Conn.Secure && x.Main() && q.Length == 0 && x.Server.Speaks(exchange.H2C) && exchange.Lists(h.Get("Upgrade"), exchange.H2C) &&
		h.Has("HTTP2-Settings") && exchange.Lists(h.Joined("Connection"), "HTTP2-Settings")
}

// announce tells a client what else is spoken here, with the first response that is made here
// (httpd: core.c core_upgrade_handler, protocol.c ap_get_protocol_upgrades).
func announce(_ context.Context, x *exchange.Exchange) error {
	list := x.Server.Protocols
	if len(list) == 0 || x.Req.Major != 1 || x.Conn.Kept > 0 || !x.Res.Local || x.Res.ErrorPage || x.Res.Status == 101 || x.Req.Header.Has("Upgrade") {
		return nil
	}
	n := slices.Index(list, exchange.HTTP11)
	if n < 0 {
		n = len(list)
	}
	if n > 0 {
		x.Res.Header.Set("Upgrade", strings.Join(list[:n], ","))
		x.Res.Header.Set("Connection", "Upgrade")
	}
	return nil
}
