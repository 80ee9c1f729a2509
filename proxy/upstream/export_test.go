package upstream

import (
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Rows is how many rows the table of outcomes has.
const Rows = kinds

// RowOf is the row of a failure of member b1, whose name the handshake was to prove, in a server named
// localhost.
func RowOf(e backend.Failure, name string, expect bool) backend.Kind {
	p := &proxyState{x: &exchange.Exchange{}, balancer: new(balancer.Balancer)}
	p.x.Out.Expect, p.call.Name, e.Host = expect, name, "b1"
	return (&handler{upstreams: &Upstreams{Host: &site.Host{Names: []string{"localhost"}}}}).kindOf(p, &e)
}
