package backend

import (
	"context"
	"errors"
	"io"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// Probe is a request of our own to a member, which no client waits for: a health check.
type Probe struct {
	Method, Target, Host string
	Minor                int             // 1, or 0 for HTTP/1.0
	Header               exchange.Header // further fields
	MostBody             int             // how many bytes of the response's body are kept; what follows is not read
}

// Probed is what a member said to a Probe. It shares nothing with the connection.
type Probed struct {
	Status int
	Header exchange.Header
	Body   []byte
}

// Probe asks a member on a connection of its own, which is closed then: whatever the member's protocol, with the
// addresses, TLS and timeouts that the call says, as traffic has them. ctx bounds all of it. server has the log and the
// limits that hold. The error is a *Failure, an error of the body, or ctx's.
func (t Table) Probe(ctx context.Context, w *balancer.Worker, server *exchange.Server, call *Call, p *Probe) (*Probed, error) {
	x := &exchange.Exchange{Server: server, Start: time.Now()}
	defer x.Finish()
	x.HeadOnly = p.Method == "HEAD"
	x.Req.Method, x.Req.Target, x.Req.Path, x.Req.Body = p.Method, p.Target, p.Target, exchange.NoBody{}
	o := &x.Out
	o.Method, o.Target, o.Minor, o.Host = p.Method, p.Target, p.Minor, p.Host
	o.Header.CopyFrom(&p.Header)
	o.Bare, o.Alone = true, true
	if err := t.RoundTrip(ctx, w, x, call); err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	return probed(ctx, x, p.MostBody)
}

// probed copies a response.
func probed(ctx context.Context, x *exchange.Exchange, most int) (*Probed, error) {
	r := &Probed{Status: x.Res.Status}
	r.Header.CloneFrom(&x.Res.Header)
	if x.Res.Body == nil {
		return r, nil
	}
	defer x.Res.Body.Close()
	var err error
	if r.Body, err = io.ReadAll(io.LimitReader(x.Res.Body, int64(most))); err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	return r, nil
}
