package site

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// run runs the steps of a phase until one ends it.
func (p *Plan) run(ctx context.Context, x *exchange.Exchange, phase Phase) error {
	return ignoreStop(p.decide(ctx, x, phase))
}

func ignoreStop(err error) error {
	if err == exchange.Stop {
		return nil
	}
	return err
}

// ignoreMade is nil where a step made the answer.
func ignoreMade(err error) error {
	if err == exchange.AnswerMade {
		return nil
	}
	return err
}

// decide is run; Stop says that a step settled the phase.
func (p *Plan) decide(ctx context.Context, x *exchange.Exchange, phase Phase) (err error) {
	list := p.steps[phase]
	if len(list) == 0 {
		return nil
	}
	if o := x.Observer; o != nil {
		o.Observe(x, exchange.PhaseBegun{Phase: phase.String()})
	}
	for i := range list {
		if err = list[i].run(ctx, x, phase); err != nil {
			break
		}
	}
	if o := x.Observer; o != nil {
		o.Observe(x, exchange.PhaseOver{Phase: phase.String(), Err: err})
	}
	return err
}

// run does the step. What it came to does not count when a pattern gave up in it.
func (s *Step) run(ctx context.Context, x *exchange.Exchange, phase Phase) error {
	err := s.Do(ctx, x)
	if x.Undecided {
		err = exchange.Status(500)
	}
	if o := x.Observer; o != nil && err != nil {
		o.Observe(x, exchange.StepDecided{Phase: phase.String(), Module: s.Module, Name: s.Name, Err: err})
	}
	return err
}

// serve has the handler make the answer.
func (h Handler) serve(ctx context.Context, x *exchange.Exchange, name string) error {
	o := x.Observer
	if o == nil {
		return h.Serve(ctx, x)
	}
	o.Observe(x, exchange.PhaseBegun{Phase: "handler"})
	err := h.Serve(ctx, x)
	o.Observe(x, exchange.Handled{Module: h.Module, Name: name, Err: err})
	o.Observe(x, exchange.PhaseOver{Phase: "handler", Err: err})
	return err
}

// observe finds out who wants to be told of a request, and tells them its virtual host.
func observe(x *exchange.Exchange, h *Host, named bool) {
	if x.Observer == nil && len(h.early.observers) > 0 {
		x.Observer = h.early.askObservers(x)
	}
	if o := x.Observer; o != nil {
		o.Observe(x, exchange.HostChosen{Named: named})
	}
}

func (p *Plan) askObservers(x *exchange.Exchange) exchange.Observer {
	var list exchange.Observers
	for _, f := range p.observers {
		if o := f(x); o != nil {
			list = append(list, o)
		}
	}
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return list
}

// failed tells that an error is going to be the answer.
func failed(x *exchange.Exchange, err error) {
	if o := x.Observer; o != nil {
		o.Observe(x, exchange.Failed{Status: statusOf(err), Err: err})
	}
}

// tell tells the sections of the chain.
func (n *node) tell(x *exchange.Exchange) {
	o := x.Observer
	if o == nil {
		return
	}
	var list []exchange.Section
	for _, s := range n.scopes()[len(n.tree.base):] {
		list = append(list, exchange.Section{Kind: tag(s), Argument: s.Arg, File: s.Pos.File, Line: s.Pos.Line})
	}
	o.Observe(x, exchange.SectionsMerged{Sections: list})
}

// tellCondition tells what a condition of an <If> came to.
func tellCondition(x *exchange.Exchange, s *directive.Scope, holds bool) {
	o := x.Observer
	if o == nil {
		return
	}
	outcome := "false"
	if holds {
		outcome = "true"
	}
	o.Observe(x, exchange.Decision{Module: "core", Name: s.Tag, Subject: s.Arg, Outcome: outcome, File: s.Pos.File, Line: s.Pos.Line})
}
