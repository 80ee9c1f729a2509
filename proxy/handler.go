package proxy

import (
	"context"
	"errors"
	"strings"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// handler carries a proxied request to a member and brings the answer back: httpd's proxy-server. One
// is compiled for each plan. Immutable.
type handler struct {
	fleet     *fleet
	backend   backend.Backend
	forwarder forwarder
	reverser  *reverser // nil: nothing to rewrite
	override  override
	call      backend.Call // what does not depend on the request
}

// Serve is the try loop: pick a member, send, and pick again while the rules of failover allow it.
func (h *handler) Serve(ctx context.Context, x *exchange.Exchange) error {
	f := flightOf(x)
	if err := h.prepare(f); err != nil {
		return ignoreAnswered(err)
	}
	for {
		if err := h.pick(ctx, f); err != nil {
			return err
		}
		h.forwarder.dress(f, f.worker, f.worker == h.fleet.generic)
		err := h.backend.RoundTrip(ctx, f.worker, x, h.brief(f))
		if err == nil {
			return h.answered(f)
		}
		again, err := h.failed(ctx, f, err)
		if !again {
			return err
		}
	}
}

// prepare settles what holds for all attempts. errAnswered: there is nothing left to do.
func (h *handler) prepare(f *flight) error {
	x := f.x
	if !strings.HasPrefix(x.Filename, proxyPrefix) {
		if !strings.HasPrefix(x.Handler, proxyPrefix) {
			return exchange.Declined
		}
		x.Filename = x.Arena.Join(x.Handler, x.Filename) // SetHandler "proxy:URL"
	}
	if x.Req.Broken { // nothing more of it can be read (httpd: protocol.c ap_read_request, die_unusable_input)
		return exchange.Status(400)
	}
	if x.Req.Method == "CONNECT" { // httpd sends "CONNECT /" to the member and relays its answer: a hole
		return exchange.Status(405)
	}
	if err := h.aim(f); err != nil {
		return err
	}
	f.switches.read(&x.Env)
	return h.countForwards(f)
}

// pick finds the worker of the next attempt.
func (h *handler) pick(ctx context.Context, f *flight) error {
	if f.balancer != nil {
		return h.claim(ctx, f)
	}
	x := f.x
	if r := f.route; r != nil && r.fixed {
		f.worker = r.workerFor(&x.Arena, f.target)
	} else {
		f.worker = balancer.Longest(h.fleet.workers, x.Arena.Join(f.site, f.target))
	}
	if f.worker == nil {
		f.worker = h.fleet.generic
	}
	if err := f.admit(); err != nil {
		return err
	}
	return h.blocked(ctx, f)
}

// claim has the balancer choose a member. The claim is held until the exchange ends.
func (h *handler) claim(ctx context.Context, f *flight) error {
	x := f.x
	now := x.Start
	if f.attempts > 0 {
		now = time.Now()
	}
	c, err := f.balancer.Wait(ctx, f, now, x.Block)
	if err != nil {
		f.worker = nil
		return noMember(x, f.balancer, err)
	}
	f.claims = append(f.claims, c)
	f.worker = c.Worker
	tellPick(x, f.balancer, &c)
	return h.blocked(ctx, f)
}

// brief is what the backend must know of this attempt.
func (h *handler) brief(f *flight) *backend.Call {
	c := &f.call
	*c = h.call
	a := f.worker.Address()
	if f.worker == h.fleet.generic || f.balancer == nil && (a.Varies || f.socket != "" && a.Socket == "") {
		c.Scheme, c.Host, c.Port, c.Socket = f.scheme, f.host, f.port, f.socket
	}
	c.Later = f.attempts > 0 || f.balancer != nil && f.balancer.Settings().Timeout > 0
	if c.TLS != nil && h.forwarder.preserveHost {
		c.Name = f.x.Req.Host
	}
	c.Interim, c.HalfClose = f.switches.interim, !f.switches.noHalfClose
	c.Idle = max(f.x.Server.Timeout, f.worker.Settings().Timeout.Or(balancer.Some(c.Timeout)).V)
	return c
}

// answered finishes an exchange whose member answered.
func (h *handler) answered(f *flight) error {
	x := f.x
	x.Res.Proxied = true
	f.judge(x.Res.Status, false)
	if h.override.wants(x.Res.Status) {
		return h.override.replace(x)
	}
	h.override.keep(x)
	if h.reverser != nil {
		h.reverser.rewrite(x)
	}
	h.forwarder.addVia(x)
	return nil
}

// failed decides what becomes of an attempt that brought no answer.
func (h *handler) failed(ctx context.Context, f *flight, err error) (again bool, _ error) {
	if ctx.Err() != nil { // the client gave its stream up, and the member is not to blame
		f.x.Res.Clear()
		f.x.Res.Status, f.x.Res.Drop, f.x.Res.Aborted = 502, true, true
		return false, nil
	}
	var e *backend.Failure
	if !errors.As(err, &e) {
		return false, err
	}
	o := h.outcomeOf(f, e)
	if f.lostUnderClient(e) {
		f.drop(&o, e)
		return false, nil
	}
	unusable := f.blame(&o, e)
	err = o.report(f, e)
	if o.again && (unusable || o.untouched && f.balancer != nil) && !e.Sent && f.mayTryAnother() {
		return true, nil
	}
	if o.counts {
		f.judge(int(o.status), o.timeout || e.Timeout)
	}
	if e.Kind > backend.WriteHead {
		f.x.SpendBody()
	}
	return false, err
}
