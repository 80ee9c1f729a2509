package proxy

import (
	"sync"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// flight is what this room remembers of one exchange, from its mapping to its end. It is pooled; one
// goroutine at a time owns it, with the exchange.
type flight struct {
	x *exchange.Exchange

	// Of the mapping.
	route  *route // nil: somebody else wrote x.Filename, RewriteRule or SetHandler
	mapped string // what the route made of x.Filename; the route holds only as long as this does
	asCame bool   // nocanon: the path goes to the member as it came, its query included

	// Of the target, see aim.
	scheme   string // lower case
	host     string
	port     uint16
	site     string // "scheme://host[:port]"; "" for a route's
	socket   string // of SetHandler "proxy:unix:…"
	path     string // decoded, behind the host's slash; with asCame everything behind it
	target   string // the request target: encoded, with "/" in front and the query behind
	aimed    string // the x.Filename that it is made of
	balancer *balancer.Balancer

	// Of the attempts.
	worker   *balancer.Worker
	attempts int
	claims   []balancer.Claim // one for each member that was tried; released by Finish
	first    [2]balancer.Claim
	switches switches
	call     backend.Call
	forwards int64 // Max-Forwards for the member; -1 for none
}

var flights = sync.Pool{New: func() any { return new(flight) }}

// flightOf is the exchange's flight, made at the first call. The exchange gives it back at its end.
func flightOf(x *exchange.Exchange) *flight {
	if f, ok := x.State[exchange.StateProxy].(*flight); ok {
		f.x = x // it may be a lookup's whose place x has taken
		return f
	}
	f := flights.Get().(*flight)
	f.x = x
	f.claims = f.first[:0]
	x.State[exchange.StateProxy] = f
	x.OnFinish(f)
	return f
}

// Finish releases the members that were claimed: their busy count falls only now, when the answer was
// sent and logged (httpd: mod_proxy_balancer.c decrement_busy_count).
func (f *flight) Finish(x *exchange.Exchange) {
	for _, c := range f.claims {
		c.Done()
	}
	x.State[exchange.StateProxy] = nil
	*f = flight{}
	poison.Put(&flights, f)
}

// StickyURL is where a session id is looked for first: the path as mapped and decoded, and the query.
func (f *flight) StickyURL() (path, query string) {
	if f.asCame {
		return f.path, ""
	}
	return f.path, f.x.Req.Query
}

// MappedURL is "proxy:" and where the request goes, as log and variables show it; "" before that is known
// (httpd: mod_proxy_http.c proxy_http_canon, mod_proxy_balancer.c rewrite_url write r->filename).
func (f *flight) MappedURL() string {
	x := f.x
	switch {
	case f.aimed == "" || f.aimed != x.Filename || f.balancer == nil && balancer.PortOf(f.scheme) == 0:
		return ""
	case f.balancer == nil:
		return x.Arena.Join(proxyPrefix, siteOf(f.scheme, f.host, f.port), f.target)
	case f.worker == nil:
		return x.Arena.Join(proxyPrefix, f.balancer.Name(), f.target)
	}
	a := f.worker.Address()
	return x.Arena.Join(proxyPrefix, siteOf(a.Scheme, a.Host, a.Port), f.at(f.worker))
}

// Cookies is the client's Cookie field.
func (f *flight) Cookies() string { return f.x.Req.Header.Joined("Cookie") }

var _ balancer.Client = (*flight)(nil)
