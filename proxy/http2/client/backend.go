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
	t.ConnPool = pool{t}
	return &Backend{t}
}

// RoundTrip sends x.Out and reads the answer's head into x.Res. The client's body goes out while the
// answer comes in, if the client's connection can do both at once.
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	x.Detach()
	up, err := uploadOf(x)
	if err != nil {
		return &backend.Failure{Kind: backend.ClientBody, Err: err, Host: w.Address().Host, Port: w.Address().Port}
	}
	a := &answer{x: x, worker: w, call: call, up: up, timeout: backend.Patience(w, call), came: make(chan result, 1), early: make(chan interim, 1), gone: make(chan struct{})}
	ctx, a.cancel = context.WithCancel(ctx)
	req, err := a.request(ctx)
	if err != nil {
		a.cancel()
		x.Log("proxy_http2", exchange.Error, nil, "AH10408: the request to the member holds a text that no head may hold")
		return exchange.Status(500)
	}
	go func() { a.came <- a.guarded(b.t, req) }()
	a.running = true
	answered := false
	defer func() {
		if !answered { // a panic among the reasons
			a.giveUp()
		}
	}()
	if err := a.await(); err != nil {
		return err
	}
	answered = true
	x.OnFinish(a)
	return nil
}

// pool has x/net ask the attempt for a connection, again when the member did not touch the request.
type pool struct{ t *http2.Transport }

type attemptKey struct{}

// GetClientConn is a connection for the attempt that the request belongs to.
func (p pool) GetClientConn(req *http.Request, _ string) (*http2.ClientConn, error) {
	return req.Context().Value(attemptKey{}).(*answer).connect(req.Context(), p.t)
}

// MarkDead has nothing to do: a connection that is dead carries no more streams, which is seen when the
// next one is looked for.
func (p pool) MarkDead(*http2.ClientConn) {}

// mostTries is how often a request is sent that the member says it did not touch; the last time by a
// connection that nobody else's streams can end.
const mostTries = 3

// errAgain stops x/net's own retries, which wait for seconds.
var errAgain = errors.New("http2: the member did not touch the request")

// fall is a panic of one of an attempt's goroutines. It goes on in the exchange's, which can end it.
type fall struct {
	cause any
	stack []byte
}

func (f *fall) Error() string { return fmt.Sprintf("%v\n%s", f.cause, f.stack) }

// panicked keeps the first panic for the exchange's goroutine, and gives its attempt up. Deferred functions
// call it with what they recovered.
func (a *answer) panicked(cause any) error {
	f := &fall{cause, debug.Stack()}
	a.fallen.CompareAndSwap(nil, f)
	a.cancel()
	return f
}

// guarded is tryOn that brings a panic as its result.
func (a *answer) guarded(t *http2.Transport, req *http.Request) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{nil, a.panicked(p)}
		}
	}()
	return a.tryOn(t, req)
}

// tryOn sends the request, and again as long as the member says that it did not touch it (RFC 9113
// sections 6.8, 8.7).
func (a *answer) tryOn(t *http2.Transport, req *http.Request) result {
	for try := 1; ; try++ {
		a.asked, a.lonely = false, try == mostTries
		r, err := t.RoundTrip(req)
		if !errors.Is(err, errAgain) {
			return result{r, err}
		}
		if try == mostTries {
			return result{nil, a.fail(backend.NotTaken, nil)}
		}
		if req.GetBody != nil {
			again := *req
			if again.Body, err = req.GetBody(); err != nil {
				return result{nil, a.fail(backend.NotTaken, err)}
			}
			req = &again
		}
	}
}

// connect finds the attempt a connection; asked again for one, x/net wants to try again.
func (a *answer) connect(ctx context.Context, t *http2.Transport) (*http2.ClientConn, error) {
	if a.asked {
		return nil, errAgain
	}
	a.asked = true
	c, err := clientsOf(a.worker).find(ctx, t, a)
	if err != nil {
		return nil, err
	}
	a.client.Store(c)
	return c.cc, nil
}
