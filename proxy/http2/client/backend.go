package client

import (
	"context"
	"sync"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// Backend speaks HTTP/2 to members: for the schemes h2 and h2c. A worker has one connection, and another one when that
// carries as many streams as it can. Make one with NewBackend.
type Backend struct {
	streams sync.Pool // *stream
}

var (
	_ backend.Backend  = (*Backend)(nil)
	_ backend.Protocol = (*Backend)(nil)
)

// NewBackend is a Backend.
func NewBackend() *Backend {
	b := &Backend{}
	b.streams.New = func() any { return &stream{owner: b} }
	return b
}

// RoundTrip sends x.Out and reads the answer's head into x.Res. The client's body goes out while the answer comes in, if
// the client's connection can do both at once.
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	return backend.Exchange(ctx, b, w, x, call)
}

// Open is backend.Protocol's. The last try has a connection of its own.
func (b *Backend) Open(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call, try int) (_ backend.Stream, err error) {
	s := b.streams.Get().(*stream)
	s.Begin(w, x, call)
	s.Try, s.timeout = try, backend.IOTimeout(w, call)
	opened := false
	defer func() {
		if !opened { // a panic among the reasons
			s.unwatch()
			s.retire()
		}
	}()
	if s.up, err = uploadOf(x); err != nil {
		return nil, s.Fail(backend.ClientBody, err)
	}
	if !s.sayable() {
		x.Log("proxy_http2", exchange.Error, nil, "AH10408: the request to the member holds a text that no head may hold")
		return nil, exchange.Status(500)
	}
	s.watch(ctx)
	if s.conn, err = clientsOf(w).find(ctx, s, x.Out.Alone || x.Out.NoPool || try == backend.MaxTries); err != nil {
		return nil, err
	}
	s.Reused = s.conn.wasUsed()
	opened = true
	return s, nil
}
