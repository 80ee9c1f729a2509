package client

import (
	"context"
	"sync"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/recovery"
)

// Backend speaks HTTP/1.1 to members: for the schemes http, https, ws and wss. Make one with
// NewBackend.
type Backend struct {
	answers sync.Pool // *answer
	uploads sync.Pool // *upload
	bulks   sync.Pool // *bulk
}

var _ backend.Backend = (*Backend)(nil)

// NewBackend is a Backend.
func NewBackend() *Backend {
	b := &Backend{}
	b.answers.New = func() any { return newAnswer(b) }
	b.uploads.New = func() any { return &upload{owner: b} }
	b.bulks.New = func() any { return new(bulk) }
	return b
}

// RoundTrip sends x.Out and reads the answer's head into x.Res. What must be read of the client's body
// first is read before a connection is taken, so that a slow client holds none (httpd: mod_proxy_http.c
// proxy_http_handler).
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	up, err := b.load(x)
	if err != nil {
		return clientFault(w, call, err)
	}
	fresh := x.Out.NoPool
	for {
		c, err := backend.Acquire(ctx, w, x, call, fresh)
		if err != nil {
			return err
		}
		a := b.answers.Get().(*answer)
		a.begin(x, c, call)
		if ctx.Done() != nil { // the client may go away under it: one of HTTP/2's streams
			a.unhook = context.AfterFunc(ctx, func() { recovery.Do("cutting off a member's connection", c.Abort) })
		}
		err = a.talk(up)
		if err == nil {
			x.OnFinish(a)
			return nil
		}
		stale := a.stale
		x.Res.Header.Reset()
		a.abandon()
		if !stale {
			return err
		}
		fresh = true
	}
}

// clientFault is the failure to read the client's body before there was a connection.
func clientFault(w *balancer.Worker, call *backend.Call, err error) error {
	f := &backend.Failure{Kind: backend.ClientBody, Err: err, Host: w.Address().Host, Port: w.Address().Port}
	if call.Host != "" {
		f.Host, f.Port = call.Host, call.Port
	}
	return f
}

// appendRequest appends the head of x.Out: Host, its fields, then what says where the body ends, then
// Connection (httpd: mod_proxy_http.c ap_proxy_http_prefetch, terminate_headers). false: a text is not
// fit for a head.
func (a *answer) appendRequest(b []byte, up *upload) ([]byte, bool) {
	o := &a.x.Out
	good := wire.IsWord(o.Method) && wire.IsWord(o.Target) && wire.IsValue(o.Host)
	b = append(b, o.Method...)
	b = append(b, ' ')
	b = append(b, o.Target...)
	if o.Minor == 0 {
		b = append(b, " HTTP/1.0\r\n"...)
	} else {
		b = append(b, " HTTP/1.1\r\n"...)
	}
	b = wire.AppendField(b, "Host", o.Host)
	for i := range o.Header.F {
		f := &o.Header.F[i]
		good = good && f.Name != "" && wire.IsValue(f.Name) && wire.IsValue(f.Value)
		b = wire.AppendField(b, f.Name, f.Value)
	}
	if o.Expect || o.Ping {
		v := a.x.Req.Header.GetID(wire.Expect)
		good = good && wire.IsValue(v)
		b = appendExpect(b, v)
	}
	b = up.appendLength(b)
	return append(a.appendConnection(b), "\r\n"...), good
}

// appendExpect appends the client's Expect, or what RequestHeader made of it, and what is missing there
// (httpd: proxy_util.c ap_proxy_create_hdrbrgd).
func appendExpect(b []byte, value string) []byte {
	b = append(b, "Expect: "...)
	b = append(b, value...)
	switch {
	case wire.Lists(value, "100-continue"):
	case value != "":
		b = append(b, ", 100-Continue"...)
	default:
		b = append(b, "100-Continue"...)
	}
	return append(b, "\r\n"...)
}

func (a *answer) appendConnection(b []byte) []byte {
	o := &a.x.Out
	switch {
	case o.Bare:
		return b
	case o.Upgrade != "":
		b = append(b, "Connection: Upgrade\r\n"...)
		return wire.AppendField(b, "Upgrade", o.Upgrade)
	case a.mayAsk():
		return append(b, "Connection: Keep-Alive\r\n"...)
	}
	return append(b, "Connection: close\r\n"...)
}

// mayAsk tells whether the member is asked to keep the connection.
func (a *answer) mayAsk() bool { return !a.x.Out.Close && a.conn.Keepable() }
