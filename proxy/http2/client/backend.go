package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"golang.org/x/net/http2"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// What a member can make us hold: a stream's window of its answer, for as many streams as a connection
// carries; and the head of an answer.
const (
	memberStreams = 100
	memberWindow  = 128 << 10
	memberHeader  = 256 << 10
)

// Backend speaks HTTP/2 to members: for the schemes h2 and h2c. A worker has one connection, and another
// one when that carries as many streams as it can. Make one with NewBackend.
type Backend struct{ t *http2.Transport }

var _ backend.Backend = (*Backend)(nil)

// NewBackend is a Backend.
func NewBackend() *Backend {
	t1 := &http.Transport{DisableCompression: true, HTTP2: &http.HTTP2Config{
		MaxReceiveBufferPerStream: memberWindow, MaxReceiveBufferPerConnection: memberStreams * memberWindow}}
	t, err := http2.ConfigureTransports(t1) // fails only for a transport that is configured already
	if err != nil {
		panic(err)
	}
	t.AllowHTTP, t.DisableCompression, t.MaxHeaderListSize = true, true, memberHeader
	t.ConnPool = pool{}
	return &Backend{t}
}

// RoundTrip sends x.Out and reads the answer's head into x.Res. The client's body goes out while the
// answer comes in, if the client's connection can do both at once.
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	x.Detach()
	return backend.Exchange(ctx, b, w, x, call)
}

// Open is backend.Protocol's. The last try has a connection of its own.
func (b *Backend) Open(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call, try int) (backend.Stream, error) {
	s := &stream{t: b.t, timeout: backend.IOTimeout(w, call), came: make(chan result, 1), early: make(chan interim, 1), gone: make(chan struct{})}
	s.Begin(w, x, call)
	up, err := uploadOf(x)
	if err != nil {
		return nil, s.Fail(backend.ClientBody, err)
	}
	s.up, s.Try = up, try
	ctx, s.cancel = context.WithCancel(ctx)
	opened := false
	defer func() {
		if !opened { // a panic among the reasons
			s.cancel()
		}
	}()
	if s.req, err = s.request(ctx); err != nil {
		x.Log("proxy_http2", exchange.Error, nil, "AH10408: the request to the member holds a text that no head may hold")
		return nil, exchange.Status(500)
	}
	if s.client, err = clientsOf(w).find(ctx, s, x.Out.Alone || try == backend.MaxTries); err != nil {
		return nil, s.failed(err)
	}
	s.Reused = s.client.used.Load()
	opened = true
	return s, nil
}

// pool has x/net ask the attempt for a connection, again when the member did not touch the request.
type pool struct{}

type attemptKey struct{}

// GetClientConn is the connection of the attempt that the request belongs to; asked again for one, x/net wants to
// try again.
func (pool) GetClientConn(req *http.Request, _ string) (*http2.ClientConn, error) {
	s := req.Context().Value(attemptKey{}).(*stream)
	if s.asked {
		return nil, errAgain
	}
	s.asked = true
	return s.client.cc, nil
}

// MarkDead has nothing to do: a connection that is dead carries no more streams, which is seen when the
// next one is looked for.
func (p pool) MarkDead(*http2.ClientConn) {}

// errAgain stops x/net's own retries, which wait for seconds.
var errAgain = errors.New("http2: the member did not touch the request")

// caughtPanic is a panic of one of an attempt's goroutines. It goes on in the exchange's, which can end it.
type caughtPanic struct {
	cause any
	stack []byte
}

func (f *caughtPanic) Error() string { return fmt.Sprintf("%v\n%s", f.cause, f.stack) }

// panicked keeps the first panic for the exchange's goroutine, and gives its attempt up. Deferred functions
// call it with what they recovered.
func (s *stream) panicked(cause any) error {
	f := &caughtPanic{cause, debug.Stack()}
	s.caught.CompareAndSwap(nil, f)
	s.cancel()
	return f
}

// guardRoundTrip is x/net's RoundTrip that brings a panic as its result.
func (s *stream) guardRoundTrip() (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{nil, s.panicked(p)}
		}
	}()
	res, err := s.t.RoundTrip(s.req)
	return result{res, err}
}
