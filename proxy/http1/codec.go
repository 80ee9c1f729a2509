package http1

import (
	"context"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// Backend speaks HTTP/1.1 to members: for the schemes http, https, ws and wss.
type Backend struct{}

var _ backend.Backend = (*Backend)(nil)

// RoundTrip sends x.Out and reads the answer's head into x.Res.
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	panic("being written")
}
