package upstream

import (
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// protocol is what the modules of httpd that speak to members do each in its own way, but for bytes: those are the
// codec's. The zero value is HTTP's. Immutable.
type protocol struct {
	// encode makes p.target of the mapped path: a path alone (httpd: the canon handlers). nil: as HTTP has it.
	encode       func(*proxyState) error
	given        func(x *exchange.Exchange, path string) error // refuses a balancer's path that stays as it came; nil: none is
	reverses     bool                                          // ProxyPassReverse and its cookie forms are for it
	forwards     bool                                          // fields are passed on by HTTP's rules: Via
	cuts         bool                                          // see lostUnderClient
	retains      bool                                          // an ErrorDocument keeps the error's status with ProxyErrorOverride
	counted      bool                                          // a body must tell its length, and LimitRequestBody holds
	query        bool                                          // a request with a query can't be repeated
	hidesTimeout bool                                          // failontimeout= does not see that it took too long
	asOne        bool                                          // nocanon: the query stays a part of the path
	shown        func(p *proxyState, url string) string        // the URL as log and variables show it; nil: as it is
	override     overriding
	ownWords     bool // a page in an answer's place has our own reason, not the member's
	// keepsIfSaid: connections are kept only where the worker's settings say so (httpd: mod_proxy_fcgi.c
	// proxy_fcgi_handler, disablereuse_set).
	keepsIfSaid bool
	rows        map[backend.Kind]outcome                         // what failures mean, where that is not what they mean of an HTTP member
	rarely      map[backend.Kind]outcome                         // the same of requests that can't be repeated: see repeatable
	kindOf      func(*proxyState, *backend.Failure) backend.Kind // of which row a failure is; nil: its own kind's
}

// overriding is which answers ProxyErrorOverride may replace.
type overriding uint8

const (
	overridesAll   overriding = iota
	overridesFirst            // not in an internal redirect
	overridesNone
)

var httpProtocol = protocol{reverses: true, forwards: true, retains: true, cuts: true}

// http2Protocol is HTTP but for members that can't be reached: another one may be tried also where a name does not resolve (httpd:
// mod_proxy_http2.c proxy_http2_handler).
var http2Protocol = protocol{reverses: true, forwards: true, retains: true, cuts: true, rows: map[backend.Kind]outcome{
	backend.NoName:  {status: 503, marksWorker: true, tryNext: true, seesStatus: true, log: []logLine{{"proxy", exchange.Error, true, false, noNameLine}}},
	backend.Refused: {status: 503, marksWorker: true, tryNext: true, seesStatus: true},
}}

// protocolOf is the protocol of a scheme in lower case.
func protocolOf(scheme string) *protocol {
	switch scheme {
	case exchange.H2, exchange.H2C:
		return &http2Protocol
	case "fcgi":
		return &fcgiProtocol
	case "ajp":
		return &ajpProtocol
	case "scgi":
		return &scgiProtocol
	case "uwsgi":
		return &uwsgiProtocol
	}
	return &httpProtocol
}

// protocol is that which the attempt speaks.
func (p *proxyState) protocol() *protocol { return protocolOf(p.schemeNow()) }

func (pr *protocol) overrides(x *exchange.Exchange) bool {
	return pr.override == overridesAll || pr.override == overridesFirst && x.Main()
}

// outcome is a failure's row.
func (pr *protocol) outcome(p *proxyState, e *backend.Failure) (o outcome, ok bool) {
	if pr.rows == nil {
		return o, false
	}
	kind := e.Kind
	if pr.kindOf != nil {
		kind = pr.kindOf(p, e)
	}
	if !p.repeatable() || pr.query && p.x.Req.HasQuery {
		if o, ok = pr.rarely[kind]; ok {
			return o, true
		}
	}
	o, ok = pr.rows[kind]
	return o, ok
}

// repeatable reports whether a request may be sent to another member though one has seen it: its method allows
// that, and it has no body (httpd: mod_proxy_ajp.c is_idempotent).
func (p *proxyState) repeatable() bool {
	switch p.x.Req.Method {
	case "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE":
		return !p.x.Out.HasBody || p.x.Req.Length == 0
	}
	return false
}

// accepts refuses a request that the protocol has no way to carry.
func (pr *protocol) accepts(p *proxyState) error {
	switch {
	case pr.counted:
		return limitBody(p.x)
	case pr.given != nil && p.balancer != nil && p.asCame:
		return pr.given(p.x, p.target)
	}
	return nil
}

// limitBody refuses a body without a length, or one that is too long (httpd: http_protocol.c ap_setup_client_block).
func limitBody(x *exchange.Exchange) error {
	switch {
	case x.Req.Length < 0:
		return exchange.Status(411)
	case x.Local != nil && x.Local.LimitRequestBody > 0 && x.Req.Length > x.Local.LimitRequestBody:
		return exchange.Status(413)
	}
	return nil
}

// encodePlain is the encode of members that are given a file's name: one that SetHandler put behind its URL, or that
// nocanon let pass, stays as it is.
func (p *proxyState) encodePlain(raw bool, refuse func(x *exchange.Exchange, path string) error) error {
	x, path := p.x, p.path
	if raw {
		if err := refuse(x, path); err != nil {
			return err
		}
	} else {
		path = encodePath(&x.Arena, path, x.Server.EncodedSlashes == exchange.SlashesNoDecode && !x.Local.DecodedSlashes)
	}
	if path == "" || path[0] != '/' {
		path = x.Arena.Join("/", path)
	}
	p.target, p.pathEnd = path, len(path)
	return nil
}

// asGiven reports whether the path stays as it came or was mapped: nocanon, mapping=encoded.
func (p *proxyState) asGiven() bool { return p.asCame || p.encoded() }

// control reports whether a text has a control character.
func control(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// refused is 403 for a path or query that may not be passed on.
func refused(x *exchange.Exchange, module, message string) error {
	x.Log(module, exchange.Error, nil, message)
	return exchange.Status(403)
}

// unlessVisible is a refuse of encodePlain: of a path with control characters or spaces.
func unlessVisible(module, message string) func(x *exchange.Exchange, path string) error {
	return func(x *exchange.Exchange, path string) error {
		if visible(path) {
			return nil
		}
		return refused(x, module, message)
	}
}

// setForwards has the client's fields say how far the request may go: of protocols that pass them all on.
func (p *proxyState) setForwards() {
	if p.forwards >= 0 {
		p.x.Req.Header.Set(wire.MaxForwards.String(), p.x.Arena.Int(p.forwards))
	}
}
