package upstream

import (
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// forwarder makes a member's request of the client's. Immutable; one for each plan.
type forwarder struct {
	via          ViaMode
	preserveHost bool
	addHeaders   bool  // X-Forwarded-*
	continue100  bool  // Expect: 100-continue goes to the member
	maxForwards  int64 // -1: none of our own
}

// buildRequest fills x.Out for a worker (httpd: proxy_util.c ap_proxy_create_hdrbrgd).
func (w *forwarder) buildRequest(p *proxyState, worker *balancer.Worker, generic bool) {
	x, s, set := p.x, &p.switches, worker.Settings()
	out := &x.Out
	header := out.Header
	header.Reset()
	body := x.Req.Length != 0 || x.Req.Spent || x.Req.Header.IndexID(wire.ContentLength) >= 0
	*out = exchange.Outgoing{
		Method:  x.Req.Method,
		Target:  p.target,
		Minor:   1,
		Header:  header,
		Length:  x.Req.Length,
		HasBody: body,
		Spool:   x.Req.Length < 0 && (s.sendLength || x.Req.TellLength) && !s.sendChunked,
		NoPool:  s.fresh && x.Conn != nil && x.Conn.Kept == 0 && x.Req.Major < 2, // no stream is a connection's first request (httpd: h2_c2.c)
		Close:   generic || set.DisableReuse.V || s.close || x.Req.Length < 0 && x.Req.Header.IndexID(wire.ContentLength) >= 0,
	}
	scheme := p.scheme
	if p.balancer != nil {
		out.Target, scheme = p.at(worker), worker.Address().Scheme
	}
	if s.http10 {
		out.Minor, out.Bare, out.Close, out.Spool = 0, true, true, x.Req.Length < 0
	} else {
		out.Expect = x.Req.Expect100 && w.continue100
		out.Ping = !out.Expect && set.Ping.Set && x.Req.Length != 0
		out.Upgrade = upgradeFor(x, scheme, set.Upgrade)
	}
	out.Host = w.host(p, worker, generic)
	w.copyHeader(p)
}

// host is the Host field: the client's own, or the member's name, with its port unless that is 80 or
// what the scheme implies.
func (w *forwarder) host(p *proxyState, worker *balancer.Worker, generic bool) string {
	x := p.x
	if w.preserveHost {
		if h, ok := clientHost(x); ok {
			return h
		}
		x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH01092: no HTTP 0.9 request (with no host line) on incoming request and preserve host set forcing hostname to be ",
			x.Server.Name, " for uri ", x.Req.Path))
		return x.Server.Name
	}
	scheme, host, port := p.scheme, p.host, p.port
	if p.balancer != nil {
		a := worker.Address()
		scheme, host, port = a.Scheme, a.Host, a.Port
	}
	if strings.IndexByte(host, ':') >= 0 {
		host = x.Arena.Join("[", host, "]")
	}
	if port == 0 || port == 80 || port == balancer.PortOf(scheme) {
		return host
	}
	return x.Arena.Join(host, ":", x.Arena.Int(int64(port)))
}

// clientHost is the Host that the client named, or RequestHeader. An absolute target's stands in the field.
func clientHost(x *exchange.Exchange) (host string, ok bool) {
	i := x.Req.Header.IndexID(wire.Host)
	if i < 0 {
		return "", false
	}
	return x.Req.Header.F[i].Value, true
}

// hopByHop are the fields that go no further than this server, or that are made anew for the member.
var hopByHop = [256]bool{
	wire.Host: true, wire.Connection: true, wire.ProxyConnection: true, wire.KeepAlive: true, wire.TE: true, wire.Trailer: true,
	wire.Upgrade: true, wire.ContentLength: true, wire.TransferEncoding: true, wire.Expect: true,
}

// copyHeader copies the client's fields in their order, completes those that this server adds to, and
// appends the missing ones.
func (w *forwarder) copyHeader(p *proxyState) {
	x := p.x
	out := &x.Out.Header
	named := wire.TokensOf(connectionNames(x.Req.Header.GetID(wire.Connection)), nameSeparators)
	var a added
	for i := range x.Req.Header.F {
		field := &x.Req.Header.F[i]
		if hopByHop[field.ID] || named.Has(field.Name) {
			continue
		}
		if field.ID == wire.Other {
			out.F = append(out.F, *field)
			continue
		}
		if value, keep := w.known(p, field, &a); keep {
			out.F = append(out.F, exchange.Field{Name: field.Name, Value: value, ID: field.ID})
		}
	}
	w.append(p, &a)
}

// adds reports whether X-Forwarded-* tell of the client: not where a forward proxy is asked.
func (w *forwarder) adds(x *exchange.Exchange) bool { return w.addHeaders && !x.Req.Proxy }

// added is which of the fields that this server adds to were among the client's.
type added struct{ maxForwards, via, client, host, server bool }

// known is what becomes of a client's field that means something to a proxy.
func (w *forwarder) known(p *proxyState, field *exchange.Field, a *added) (value string, keep bool) {
	x := p.x
	switch field.ID {
	case wire.MaxForwards:
		a.maxForwards = true
		return x.Arena.Int(p.forwards), true
	case wire.Via:
		a.via = true
		switch w.via {
		case ViaOff:
			return field.Value, true
		case ViaBlock:
			return "", false
		}
		return x.Arena.Join(field.Value, ", ", w.viaText(x)), true
	case wire.XForwardedFor:
		return w.join(x, field.Value, x.ClientIP, &a.client), true
	case wire.XForwardedHost:
		host, ok := clientHost(x)
		if a.host = true; !ok || !w.adds(x) {
			return field.Value, true
		}
		return x.Arena.Join(field.Value, ", ", host), true
	case wire.XForwardedServer:
		return w.join(x, field.Value, x.Server.Name, &a.server), true
	case wire.ProxyAuthorization:
		return field.Value, x.User == "" || p.switches.chainAuth
	}
	return field.Value, true
}

// join appends our text to the client's, if ProxyAddHeaders asks for it.
func (w *forwarder) join(x *exchange.Exchange, theirs, ours string, done *bool) string {
	*done = true
	if !w.adds(x) || ours == "" {
		return theirs
	}
	return x.Arena.Join(theirs, ", ", ours)
}

// append adds the fields of ours that the client did not send, in httpd's order.
func (w *forwarder) append(p *proxyState, a *added) {
	x := p.x
	out := &x.Out.Header
	if !a.maxForwards && p.forwards >= 0 {
		out.F = append(out.F, exchange.Field{Name: "Max-Forwards", Value: x.Arena.Int(p.forwards), ID: wire.MaxForwards})
	}
	if !a.via && (w.via == ViaOn || w.via == ViaFull) {
		out.F = append(out.F, exchange.Field{Name: "Via", Value: w.viaText(x), ID: wire.Via})
	}
	if !w.adds(x) {
		return
	}
	if !a.client {
		out.F = append(out.F, exchange.Field{Name: "X-Forwarded-For", Value: x.ClientIP, ID: wire.XForwardedFor})
	}
	if host, ok := clientHost(x); !a.host && ok {
		out.F = append(out.F, exchange.Field{Name: "X-Forwarded-Host", Value: host, ID: wire.XForwardedHost})
	}
	if !a.server {
		out.F = append(out.F, exchange.Field{Name: "X-Forwarded-Server", Value: x.Server.Name, ID: wire.XForwardedServer})
	}
}

// viaText is this server's entry of a Via field: the client's protocol version, the server's name, and
// the port when it is not the scheme's.
func (w *forwarder) viaText(x *exchange.Exchange) string {
	version := "1.1"
	switch {
	case x.Req.Major == 0:
		version = "0.9"
	case x.Req.Major == 2:
		version = "2.0"
	case x.Req.Minor == 0:
		version = "1.0"
	}
	port := ""
	if p := x.ServerPort(); p != x.DefaultPort() {
		port = x.Arena.Join(":", x.Arena.Int(int64(p)))
	}
	comment := ""
	if w.via == ViaFull {
		comment = " (" + serverVersion + ")"
	}
	return x.Arena.Join(version, " ", x.Server.Name, port, comment)
}

// serverVersion is the comment of ProxyVia Full (httpd: AP_SERVER_BASEVERSION).
const serverVersion = "Apache/2.4.71"

// addVia gives the response its Via, as a field of its own behind the member's
// (httpd: mod_proxy_http.c ap_proxy_http_process_response).
func (w *forwarder) addVia(x *exchange.Exchange) {
	if w.via == ViaOn || w.via == ViaFull {
		x.Res.Header.F = append(x.Res.Header.F, exchange.Field{Name: "Via", Value: w.viaText(x), ID: wire.Via})
	}
}

// upgradeFor is the request's Upgrade, which may list several, if the worker may be asked for it: what upgrade= allows,
// or WebSocket for ws and wss. RequestHeader may have set it, and Connection need not name it. HTTP/1.0
// knows no upgrades; HTTP/2 has WebSockets by CONNECT, whose streams ask for them as HTTP/1's clients do here (RFC 9110
// section 7.8, RFC 8441; httpd: proxy_util.c ap_proxy_worker_can_upgrade, mod_proxy_http.c proxy_http_handler).
func upgradeFor(x *exchange.Exchange, scheme, allowed string) string {
	if x.Req.Major != 1 && !x.Req.Upgrade || x.Req.Major == 1 && x.Req.Minor == 0 {
		return ""
	}
	token := x.Req.Header.GetID(wire.Upgrade)
	switch {
	case token == "":
		return ""
	case allowed != "" && wire.MayUpgrade(allowed, token):
		return token
	case allowed == "" && (scheme == "ws" || scheme == "wss") && exchange.EqualFold(token, "websocket"):
		return token
	}
	return ""
}

// connectionNames is the value of Connection if it names fields; "" for the words that everybody
// sends and that name fields which go anyway.
func connectionNames(value string) string {
	for _, usual := range [...]string{"", "keep-alive", "close", "upgrade", "keep-alive, upgrade", "te"} {
		if exchange.EqualFold(value, usual) {
			return ""
		}
	}
	return value
}

// nameSeparators stand between the names in a client's Connection field.
var nameSeparators = wire.SeparatorsOf(",; \t\"")
