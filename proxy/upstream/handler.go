package upstream

import (
	"context"
	"errors"
	"slices"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// handler carries a proxied request to a member and brings the response back: httpd's proxy-server. One
// is compiled for each plan. Immutable.
type handler struct {
	upstreams *Upstreams
	backend   backend.Backend
	forwarder forwarder
	reverser  *reverser // nil: nothing to rewrite
	override  override
	call      backend.Call // what does not depend on the request
}

// Serve is the try loop: pick a member, send, and pick again while the rules of failover allow it.
func (h *handler) Serve(ctx context.Context, x *exchange.Exchange) error {
	p := stateOf(x)
	if err := h.prepare(p); err != nil {
		return ignoreAnswered(err)
	}
	if x.Req.Method == "CONNECT" {
		return h.connect(ctx, p)
	}
	always := slices.Clone(x.Res.Always.F) // without those of a member that failed behind its head; usually none
	for {
		if err := h.pick(ctx, p); err != nil {
			return err
		}
		if err := p.protocol().accepts(p); err != nil {
			return err
		}
		h.forwarder.build(p, p.worker, p.worker == h.upstreams.Generic)
		call := h.attemptOptions(p)
		if h.upstreams.Settings.Remotes != nil {
			h.upstreams.Settings.Remotes.route(ctx, p, call)
		}
		err := h.blocked(ctx, p, call)
		if err == nil {
			if err = h.backend.RoundTrip(ctx, p.worker, x, call); err == nil {
				return h.finish(p)
			}
		}
		again, err := h.failed(ctx, p, err)
		if !again {
			return err
		}
		x.Res.Always.Reset()
		x.Res.Always.F = append(x.Res.Always.F, always...)
	}
}

// prepare finds out what all attempts have in common. errAnswered: the response is there already.
func (h *handler) prepare(p *proxyState) error {
	x := p.x
	if p.byHandler = !strings.HasPrefix(x.Filename, Prefix); p.byHandler {
		if !strings.HasPrefix(x.Handler, Prefix) {
			return exchange.Declined
		}
		x.Filename = x.Arena.Join(x.Handler, x.Filename) // SetHandler "proxy:URL"
	}
	if x.Req.Broken { // nothing more of it can be read (httpd: protocol.c ap_read_request, die_unusable_input)
		return exchange.Status(400)
	}
	if x.Req.Proxy {
		if err := h.countForwards(p); err != nil {
			return err
		}
		if err := h.forward(p); err != nil {
			return err
		}
	} else if x.Req.Method == "CONNECT" { // httpd sends "CONNECT /" to the member and relays its response: a hole
		return exchange.Status(405)
	}
	if err := h.resolveTarget(p); err != nil {
		return err
	}
	p.switches.read(&x.Env)
	if x.Req.Proxy { // which are counted
		return nil
	}
	return h.countForwards(p)
}

// pick chooses the worker of the next attempt.
func (h *handler) pick(ctx context.Context, p *proxyState) error {
	if p.balancer != nil {
		return h.claim(ctx, p)
	}
	serving := h.upstreams.serving(p)
	if p.worker = serving.longest(&p.x.Arena, p.site, p.target); p.worker == nil {
		p.worker = h.upstreams.Generic
	}
	if p.x.Observer != nil {
		p.observeWorker()
	}
	return p.checkUsable()
}

// claim has the balancer choose a member. The claim is held until the exchange ends. What follows a failure is picked
// at the failure's own time: so a member with retry=0 is not tried again at once by the request that found it broken.
func (h *handler) claim(ctx context.Context, p *proxyState) error {
	x := p.x
	now := x.Start
	if p.attempts > 0 {
		now = p.failedAt
	}
	var seen *pickSeen
	if x.Observer != nil {
		seen = seePick(p.balancer, now)
	}
	c, err := p.balancer.Wait(ctx, p, now, x.Block)
	if seen != nil {
		seen.observe(x, &c, err)
	}
	if err != nil {
		p.worker = nil
		return noMember(x, p.balancer, err)
	}
	p.claims = append(p.claims, c)
	p.worker = c.Worker
	setPickVariables(x, p.balancer, &c)
	if x.Enabled("proxy_balancer", exchange.Debug) {
		p.logPick(&c)
	}
	return nil
}

// logPick tells, at debug, which member was chosen and what the client's session asked for (httpd: mod_proxy_balancer.c
// find_session_route, rewrite_url).
func (p *proxyState) logPick(c *balancer.Claim) {
	x := p.x
	if c.HasSession {
		x.Log("proxy_balancer", exchange.Debug, nil, x.Arena.Join("AH01161: Found route ", c.SessionRoute))
	}
	x.Log("proxy_balancer", exchange.Debug, nil, x.Arena.Join("AH01172: ", p.balancer.Name(), ": worker (", c.Worker.URL(), ") rewritten to ", strings.TrimPrefix(p.MappedURL(), Prefix)))
}

// attemptOptions is what the backend must know of this attempt.
func (h *handler) attemptOptions(p *proxyState) *backend.Call {
	c := &p.call
	*c = h.call
	a := p.worker.Address()
	switch {
	case p.worker == h.upstreams.Generic, p.balancer == nil && a.Varies:
		c.Scheme, c.Host, c.Port, c.Socket = p.scheme, p.host, p.port, p.socket
	case p.balancer == nil && p.socket != "" && p.socket != a.Socket: // the URL's own
		c.Scheme, c.Host, c.Port, c.Socket = a.Scheme, a.Host, a.Port, strings.Clone(p.socket)
	}
	c.Later = p.attempts > 0 || p.balancer != nil && p.balancer.Settings().Timeout > 0
	if c.TLS != nil && h.forwarder.preserveHost {
		c.Name = p.x.Req.Host
	}
	c.Interim, c.HalfClose = p.switches.interim, !p.switches.noHalfClose
	c.Idle = max(p.x.Server.Timeout, p.worker.Settings().Timeout.Over(balancer.Some(c.Timeout)).V)
	return c
}

// finish makes the client's response of the member's.
func (h *handler) finish(p *proxyState) error {
	x := p.x
	x.Res.Proxied = true
	p.applyFailOnStatus(x.Res.Status, false)
	pr := p.protocol()
	if pr.forwards {
		x.Notes.Set("proxy-status", x.Arena.Int(int64(x.Res.Status))) // for %{proxy-status}n
	}
	if !x.Res.Final && h.override.wants(x.Res.Status) && pr.overrides(x) {
		if pr.ownWords {
			x.Res.Reason = ""
		}
		return h.override.replace(x)
	}
	if pr.retains {
		h.override.keep(x)
	}
	if h.reverser != nil && pr.reverses && !x.Req.Proxy {
		h.reverser.rewrite(x)
	}
	if pr.forwards {
		h.forwarder.addVia(x)
	}
	return nil
}

// failed decides what follows an attempt that brought no response: another one, or an error for the client.
func (h *handler) failed(ctx context.Context, p *proxyState, err error) (again bool, _ error) {
	if ctx.Err() != nil { // the client gave up its stream: no failure of the member
		p.x.Res.Clear()
		p.x.Res.Status, p.x.Res.Drop, p.x.Res.Aborted = 502, true, true
		return false, nil
	}
	var e *backend.Failure
	if !errors.As(err, &e) {
		return false, err
	}
	o := h.outcomeOf(p, e)
	if p.lostUnderClient(e) {
		p.drop(&o, e)
		return false, nil
	}
	unusable := p.markFailed(&o, e)
	err = o.report(p, e)
	again = o.tryNext && (unusable || o.notTaken && p.balancer != nil) && !e.Sent && p.mayTryAnother()
	if p.x.Observer != nil {
		p.observeOutcome(&o, unusable, again)
	}
	if again {
		return true, nil
	}
	if o.seesStatus {
		p.applyFailOnStatus(int(o.status), (o.seesTimeout || e.Timeout) && !p.protocol().hidesTimeout)
	}
	if e.Kind > backend.WriteHead {
		p.x.SpendBody()
	}
	return false, err
}
