package upstream

import (
	"errors"
	"fmt"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// mostPassedOver bounds how many lines in front of the one that decided are told of; those nearest to it are.
const mostPassedOver = 50

// observe tells which line decided about a path, nil for none, whether it
// mapped the path, and which in front of it were passed over.
func (m *mapper) observe(x *exchange.Exchange, encoded bool, decided *Line, mapped bool) {
	passed := m.passedOver(encoded, decided)
	if more := len(passed) - mostPassedOver; more > 0 {
		x.Observer.Observe(x, exchange.Decision{Module: "proxy", Name: "ProxyPass", Subject: x.Req.Path, Outcome: fmt.Sprintf("%d lines passed over", more)})
		passed = passed[more:]
	}
	for _, l := range passed {
		l.observe(x, "passed over")
	}
	switch {
	case decided == nil:
	case mapped:
		decided.observe(x, "taken: "+x.Filename)
	default:
		decided.observe(x, "taken: not proxied")
	}
}

// passedOver is the lines that stand in front of one, all for nil.
func (m *mapper) passedOver(encoded bool, decided *Line) (list []*Line) {
	see := func(l *Line) (on bool) {
		if l == decided {
			return false
		}
		if encoded == (l.Flags&MapEncoded != 0) {
			list = append(list, l)
		}
		return true
	}
	if m.own.Line != nil && !see(m.own.Line) {
		return list
	}
	for _, lines := range m.upstreams.lines {
		for i := range lines.routes {
			if !see(lines.routes[i].Line) {
				return list
			}
		}
	}
	return list
}

func (l *Line) observe(x *exchange.Exchange, outcome string) {
	name := "ProxyPass"
	if l.Pattern != nil {
		name = "ProxyPassMatch"
	}
	x.Observer.Observe(x, exchange.Decision{Module: "proxy", Name: name, Subject: l.Path + " " + l.URL, Outcome: outcome, File: l.File, Line: l.Number})
}

// pickSeen is what the observer is told of a pick, before it is made.
type pickSeen struct {
	balancer *balancer.Balancer
	members  []*balancer.Worker
	states   []balancer.Snapshot
	at       time.Time
}

func seePick(b *balancer.Balancer, now time.Time) *pickSeen {
	s := &pickSeen{balancer: b, members: b.Members(), at: now}
	for _, w := range s.members {
		s.states = append(s.states, w.Snapshot())
	}
	return s
}

// observe tells of the pick: the claim, or why there is none.
func (s *pickSeen) observe(x *exchange.Exchange, c *balancer.Claim, err error) {
	e := exchange.Picked{
		Balancer: s.balancer.Name()[len(balancer.Prefix):], Method: s.balancer.Settings().Method.V, Err: err,
		Session: exchange.Session{Name: c.StickyName, Path: c.InURL, Route: c.SessionRoute},
	}
	var lost *balancer.RouteLost
	if errors.As(err, &lost) {
		e.Session.Route = lost.Route
	}
	for i, w := range s.members {
		state := &s.states[i]
		e.Candidates = append(e.Candidates, exchange.Candidate{
			Member: w.URL(), Set: state.Settings.LBSet, Status: state.Status.String(), Factor: float64(state.Settings.LoadFactor) / 100,
			Load: state.Load, Busy: state.Busy, WhyNot: s.balancer.WhyNot(w, state, c, s.at),
		})
	}
	if c.Worker != nil {
		e.Member = c.Worker.URL()
		switch {
		case c.Sticky && c.RouteChanged:
			e.Why = "redirect"
		case c.Sticky:
			e.Why = "session"
		default:
			e.Why = "method"
		}
	}
	x.Observer.Observe(x, e)
}

// observeWorker tells which worker without a balancer serves a URL.
func (p *proxyState) observeWorker() {
	p.x.Observer.Observe(p.x, exchange.Decision{Module: "proxy", Name: "worker", Subject: p.site + p.target, Outcome: p.worker.URL()})
}

// observeOutcome tells what follows a failed attempt.
func (p *proxyState) observeOutcome(o *outcome, failed, again bool) {
	text := o.status.Error()
	if again {
		text = "another attempt"
	}
	if failed {
		text += "; the worker is in error"
	}
	p.x.Observer.Observe(p.x, exchange.Decision{Module: "proxy", Name: "failover", Subject: p.worker.URL(), Outcome: text})
}

// observeForced tells that the status of a response, or a timeout, puts the worker into error.
func (p *proxyState) observeForced(parameter, cause string) {
	p.x.Observer.Observe(p.x, exchange.Decision{Module: "proxy_balancer", Name: parameter, Subject: p.worker.URL(), Outcome: "in error: " + cause})
}
