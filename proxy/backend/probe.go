package backend

import (
	"context"
	"errors"
	"io"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// Probe is a request of our own to a member, which no client waits for: a health check.
type Probe struct {
	Method, Target, Host string
	Minor                int             // 1, or 0 for HTTP/1.0
	Header               exchange.Header // further fields
	MostBody             int             // how many bytes of the response's body are kept; what follows is not read. 0: it has none, or is of no interest
}

// Probed is what a member said to a Probe. It shares nothing with the connection.
type Probed struct {
	Status  int
	Header  exchange.Header
	Body    []byte
	Address string // "ip:port", or a socket's path: who said it
}

// addressed takes down where an attempt's connection leads.
type addressed struct{ address string }

// Observe is exchange.Observer's.
func (a *addressed) Observe(_ *exchange.Exchange, e exchange.Event) {
	if over, ok := e.(exchange.Attempted); ok && over.Address != "" {
		a.address = over.Address
	}
}

// Probe asks a member on a connection of its own, which is closed then: whatever the member's protocol, with the
// addresses, TLS and timeouts that the call says, as traffic has them. ctx bounds all of it. server has the log and the
// limits that hold. The error is a *Failure, an error of the body, or ctx's.
func (t Table) Probe(ctx context.Context, w *balancer.Worker, server *exchange.Server, call *Call, p *Probe) (*Probed, error) {
	var to addressed
	x := &exchange.Exchange{Server: server, Start: time.Now(), Observer: &to}
	defer x.Finish()
	x.HeadOnly = p.MostBody == 0
	x.Req.Method, x.Req.Target, x.Req.Path, x.Req.Body = p.Method, p.Target, p.Target, exchange.NoBody{}
	o := &x.Out
	o.Method, o.Target, o.Minor, o.Host = p.Method, p.Target, p.Minor, p.Host
	o.Header.CopyFrom(&p.Header)
	o.Bare, o.Alone = true, true
	if err := t.RoundTrip(ctx, w, x, call); err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	r, err := probed(ctx, x, p.MostBody)
	if err != nil {
		return nil, err
	}
	x.Finish() // which tells where the connection led
	r.Address = to.address
	return r, nil
}

// Knock opens a connection of its own to a member, has talk say what is to be said there, if there is anything, and
// closes it. Each read of talk waits for as long as wait says. There is no TLS, whatever the member's scheme. address is the
// member's, as in Probed. The error is a *Failure, talk's, or ctx's.
func Knock(ctx context.Context, w *balancer.Worker, server *exchange.Server, call *Call, talk func(io.ReadWriter) error, wait time.Duration) (address string, err error) {
	plain := *call
	plain.Scheme = "http"
	x := &exchange.Exchange{Server: server, Start: time.Now()}
	defer x.Finish()
	c, err := Acquire(ctx, w, x, &plain, true)
	if err != nil {
		return "", errors.Join(ctx.Err(), err)
	}
	defer c.Release(false)
	if address = c.Address(); talk == nil {
		return address, nil
	}
	defer context.AfterFunc(ctx, func() { recovery.Do("cutting off a member's connection", c.Abort) })()
	c.SetTimeout(wait)
	if err = talk(c); err != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return address, err
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
