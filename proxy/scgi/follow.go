package scgi

import (
	"context"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Backend speaks SCGI to members, and does what their answers ask for.
type Backend struct{ serial *backend.Serial }

// NewBackend speaks SCGI to members.
func NewBackend() *Backend {
	return &Backend{backend.NewSerial(func() backend.Codec { return new(codec) }, true)}
}

// RoundTrip sends the request. The error is a *Failure, or the *Redirect that the answer asks for.
func (b *Backend) RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
	if err := b.serial.RoundTrip(ctx, w, x, call); err != nil {
		return err
	}
	return follow(ctx, x)
}

// follow serves a file, or another path, if the answer names one (httpd: mod_proxy_scgi.c pass_response,
// scgi_request_status).
func follow(ctx context.Context, x *exchange.Exchange) error {
	set, _ := of(x)
	if file, ok := take(x, set.Sendfile, true); ok {
		return send(ctx, x, file)
	}
	if x.Res.Status != 200 || set.Redirect == "" {
		return nil
	}
	path, _ := named(x, set.Redirect)
	path, _, _ = strings.Cut(path, "#")
	if path == "" || path[0] != '/' {
		return nil
	}
	take(x, set.Redirect, !exchange.EqualFold(set.Redirect, "Location"))
	if !x.Req.IsGet() {
		x.Req.Method = "GET"
	}
	x.SpendBody()
	x.Req.Spent = false // it has none any more
	x.Req.Header.Del("Content-Length")
	return &exchange.Redirect{Path: path}
}

// named is the value of an answer's field.
func named(x *exchange.Exchange, field string) (v string, ok bool) {
	if field == "" {
		return "", false
	}
	if v, ok = x.Res.Always.Lookup(field); ok {
		return v, true
	}
	return x.Res.Header.Lookup(field)
}

// take is named, and takes the field away.
func take(x *exchange.Exchange, field string, away bool) (v string, ok bool) {
	if v, ok = named(x, field); ok && away {
		x.Res.Always.Del(field)
		x.Res.Header.Del(field)
	}
	return v, ok
}

// send makes a file the body of the answer, if nothing forbids that it is served.
func send(ctx context.Context, x *exchange.Exchange, file string) error {
	h := site.HostOf(x)
	if h == nil || !strings.HasPrefix(file, "/") {
		return refused(x, file, 404)
	}
	y, status := h.File(ctx, x, file)
	if status != 200 {
		y.Finish()
		return refused(x, file, status)
	}
	if x.Res.Body != nil {
		x.Res.Body.Close()
	}
	x.Res.Body, x.Res.Length = y.Res.Body, y.Res.Length
	y.Res.Body = nil
	x.OnFinish(over{y})
	return nil
}

// over ends a lookup with the exchange that sends what it found.
type over struct{ y *exchange.Exchange }

// Finish ends it.
func (o over) Finish(*exchange.Exchange) { o.y.Finish() }

func refused(x *exchange.Exchange, file string, status int) error {
	x.Log(module, exchange.Error, nil, x.Arena.Join("AH00864: Subrequest to file '", file, "' not possible. (rr->status=", x.Arena.Int(int64(status)), ")"))
	x.Res.Clear()
	return exchange.Status(500)
}
