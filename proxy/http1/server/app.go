package server

import (
	"context"
	"net/netip"

	"balancerd/proxy/exchange"
)

// App is what serves the requests: a site, or package server's switch between an old one and a new
// one. Its methods are called by many goroutines, for one exchange by one at a time and in this order:
// Default, then Serve or Refuse, then Done.
type App interface {
	// Default is the settings in force before the Host is known: limits and timeouts of the head.
	Default(local netip.AddrPort) *exchange.Server
	// Serve fills x.Res. It never fails; a panic ends the exchange with a 500.
	Serve(ctx context.Context, x *exchange.Exchange)
	// Refuse fills x.Res for a request that could not be read.
	Refuse(ctx context.Context, x *exchange.Exchange, p *exchange.Problem)
	// Done is told when the answer is sent, or could not be: it writes the logs and calls x.Finish.
	Done(ctx context.Context, x *exchange.Exchange)
}
