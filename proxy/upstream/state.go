package upstream

import (
	"sync"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// proxyState is what this package remembers of one exchange, from its mapping to its end. It is pooled; one
// goroutine at a time owns it, with the exchange.
type proxyState struct {
	x *exchange.Exchange

	// Of the mapping.
	route  *route  // nil: somebody else wrote x.Filename, RewriteRule or SetHandler
	to     *target // of a route with a destination
	mapped string  // what the route made of x.Filename; the route holds only as long as this does
	asCame bool    // nocanon: the path goes to the member as it came, its query included

	// Of the target, see resolveTarget.
	scheme    string // lower case
	host      string
	port      uint16
	site      string      // "scheme://host[:port]"; of a balancer's URL nothing
	socket    string      // of SetHandler "proxy:unix:…"
	path      string      // decoded, behind the host's slash; with asCame everything behind it
	target    string      // the request target: encoded, with "/" in front and the query behind
	workers   siteWorkers // of a site that the request decided
	pathEnd   int         // of target: where its query begins
	byHandler bool        // SetHandler named the URL, and the file stands behind it
	resolved  string      // the x.Filename that it is made of
	balancer  *balancer.Balancer

	// Of the attempts.
	worker   *balancer.Worker
	attempts int
	failedAt time.Time        // when the last one failed
	claims   []balancer.Claim // one for each member that was tried; released by Finish
	first    [2]balancer.Claim
	switches switches
	call     backend.Call
	forwards int64 // Max-Forwards for the member; -1 for none
}

var states = sync.Pool{New: func() any { return new(proxyState) }}

// stateOf is the exchange's proxyState, made at the first call. The exchange gives it back at its end.
func stateOf(x *exchange.Exchange) *proxyState {
	if p, ok := x.State[exchange.StateProxy].(*proxyState); ok {
		p.x = x // it may be a lookup's whose place x has taken
		return p
	}
	p := states.Get().(*proxyState)
	p.x = x
	p.claims = p.first[:0]
	x.State[exchange.StateProxy] = p
	x.OnFinish(p)
	return p
}

// Finish releases the members that were claimed: their busy count falls only now, when the response was
// sent and logged (httpd: mod_proxy_balancer.c decrement_busy_count).
func (p *proxyState) Finish(x *exchange.Exchange) {
	for _, c := range p.claims {
		c.Done()
	}
	x.State[exchange.StateProxy] = nil
	*p = proxyState{}
	poison.Put(&states, p)
}

// BecomesTunnel lets go of the configuration. What the log asks for stays: the member, and of the line how it
// wrote the URL.
func (p *proxyState) BecomesTunnel(*exchange.Exchange) {
	if p.route != nil {
		p.route = &route{Line: p.route.Line}
	}
	p.to, p.workers = nil, siteWorkers{}
	p.call.Via, p.call.GivesUp = nil, nil
}

// StickyURL is where a session id is looked for first: the path as mapped and decoded, and the query.
func (p *proxyState) StickyURL() (path, query string) {
	if p.asCame {
		return p.path, ""
	}
	return p.path, p.x.Req.Query
}

// MappedURL is "proxy:" and where the request goes, as log and variables show it; "" before that is known
// (httpd: mod_proxy_http.c proxy_http_canon, mod_proxy_balancer.c rewrite_url write r->filename).
func (p *proxyState) MappedURL() string {
	x := p.x
	switch {
	case p.resolved == "" || p.resolved != x.Filename || p.balancer == nil && balancer.PortOf(p.scheme) == 0:
		return ""
	case p.balancer == nil:
		return protocolOf(p.scheme).show(p, x.Arena.Join(Prefix, siteOf(p.scheme, p.host, p.port), p.target))
	}
	worker := p.tried()
	if worker == nil {
		return x.Arena.Join(Prefix, p.balancer.Name(), p.target)
	}
	a, path := worker.Address(), p.target
	pr := protocolOf(a.Scheme)
	if pr.encode != nil && !p.asCame {
		path = pr.plainTarget(p)
	}
	return pr.show(p, x.Arena.Join(Prefix, siteOf(a.Scheme, a.Host, a.Port), p.below(worker, path)))
}

// show is a URL that the request was mapped to.
func (pr *protocol) show(p *proxyState, url string) string {
	if pr.shown == nil {
		return url
	}
	return pr.shown(p, url)
}

// tried is the member that is asked, or the last one that was; nil for none.
func (p *proxyState) tried() *balancer.Worker {
	if n := len(p.claims); p.worker == nil && n > 0 {
		return p.claims[n-1].Worker
	}
	return p.worker
}

// Cookies is the client's Cookie field.
func (p *proxyState) Cookies() string { return p.x.Req.Header.Joined("Cookie") }

var (
	_ balancer.Client   = (*proxyState)(nil)
	_ exchange.Tunneler = (*proxyState)(nil)
)
