package site

import (
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// FilterType is a filter that the configuration may name. Names are alike whatever the case of their letters.
type FilterType struct {
	Name string // "DEFLATE"
	Kind exchange.FilterKind
	// Input and Output make what is done to requests and to answers under the settings of a chain of scopes;
	// nil: there is no such filter.
	Input, Output func(chain []*directive.Scope) (exchange.Step, error)
}

// DefineFilter makes a filter known to the site. A module's Open calls it; Plan.NamedOutput and NamedInput
// find it in every Builder.
func (s *Site) DefineFilter(t FilterType) {
	if s.filters == nil {
		s.filters = map[string]definedFilter{}
	}
	s.filters[strings.ToLower(t.Name)] = definedFilter{t, s.opening}
}

// definedFilter is a FilterType with the module that defined it.
type definedFilter struct {
	FilterType
	module string
}

// NamedInput is the filter that goes by a name, with the settings of the chain whose plan is built; a
// Builder calls it. ok is false when no module has one for requests.
func (p *Plan) NamedInput(name string) (f exchange.Filter, ok bool, err error) {
	t := p.site.filters[strings.ToLower(name)]
	return t.compiled(t.Input, p.chain)
}

// NamedOutput is NamedInput for answers.
func (p *Plan) NamedOutput(name string) (f exchange.Filter, ok bool, err error) {
	t := p.site.filters[strings.ToLower(name)]
	return t.compiled(t.Output, p.chain)
}

func (t *definedFilter) compiled(build func([]*directive.Scope) (exchange.Step, error), chain []*directive.Scope) (f exchange.Filter, ok bool, err error) {
	if build == nil {
		return f, false, nil
	}
	f = exchange.Filter{Module: t.module, Name: t.Name, Kind: t.Kind}
	f.Do, err = build(chain)
	return f, err == nil, err
}

// AddInput puts a filter into the way of each request that the plan holds for; a Builder calls it. One
// without a Module is of the module whose Builder runs.
func (p *Plan) AddInput(f exchange.Filter) { p.Input = exchange.InsertFilter(p.Input, p.own(f)) }

// AddOutput puts a filter into the way of each answer that the plan holds for.
func (p *Plan) AddOutput(f exchange.Filter) { p.Output = exchange.InsertFilter(p.Output, p.own(f)) }

func (p *Plan) own(f exchange.Filter) exchange.Filter {
	if f.Module == "" {
		f.Module = p.module
	}
	return f
}

// filters are those of an exchange, in order: those that a step put in before the plan's of the same kind, as
// httpd's type checkers put theirs in before the hook insert_filter runs.
type filters struct{ run, plan []exchange.Filter }

// next takes the next filter below a kind; nil when there is none.
func (l *filters) next(below exchange.FilterKind) *exchange.Filter {
	from := &l.run
	if len(l.run) == 0 || len(l.plan) > 0 && l.plan[0].Kind < l.run[0].Kind {
		from = &l.plan
	}
	if len(*from) == 0 || (*from)[0].Kind >= below {
		return nil
	}
	f := &(*from)[0]
	*from = (*from)[1:]
	return f
}

// all is above every kind.
const all = exchange.FilterKind(127)

// input puts the filters into the way of a request that has a body. That is done once: what serves the
// request in the place of another has what that one got.
func input(ctx context.Context, x *exchange.Exchange, p *Plan) error {
	if x.Req.Length == 0 || x.Req.Filtered || len(x.InputFilters)+len(p.Input) == 0 {
		return nil
	}
	x.Req.Filtered = true
	l := filters{x.InputFilters, p.Input}
	for f := l.next(all); f != nil; f = l.next(all) {
		before := x.Req.Body
		err := f.Do(ctx, x)
		if x.Undecided {
			err = exchange.Status(500)
		}
		filtered(x, f, "input_filter", err, x.Req.Body != before)
		if err != nil {
			return err
		}
	}
	return nil
}

// filtered tells what a filter has done.
func filtered(x *exchange.Exchange, f *exchange.Filter, phase string, err error, body bool) {
	o := x.Observer
	switch {
	case o == nil:
	case err != nil:
		o.Observe(x, exchange.StepDecided{Phase: phase, Module: f.Module, Name: f.Name, Err: err})
	default:
		outcome := "aside"
		if body {
			outcome = "body"
		}
		o.Observe(x, exchange.Decision{Module: f.Module, Name: f.Name, Subject: phase, Outcome: outcome})
	}
}

// output passes the answer through its filters below a kind. An error becomes the answer: an own page, whose
// filters come behind Protocol.
func (s *Site) output(ctx context.Context, x *exchange.Exchange, l *filters, below exchange.FilterKind) {
	for f := l.next(below); f != nil; f = l.next(below) {
		if x.Res.Drop || f.Kind < exchange.Protocol && (x.Res.Cached || x.Res.ErrorPage && !f.Pages) {
			continue
		}
		before := x.Res.Body
		err := f.Do(ctx, x)
		if x.Undecided {
			err = exchange.Status(500)
		}
		filtered(x, f, "output_filter", err, x.Res.Body != before)
		if err != nil {
			failed(x, err)
			s.page(x, err)
		}
	}
}

// reply completes the answer, whose head is there and not yet sent: it passes through its filters, its head is
// edited between them, and it is cut to the range that was asked for. What stands in the place of a range
// that is not there is not cut. Nothing is done to a 101: it is passed on at once (httpd: protocol.c
// ap_send_interim_response).
func (s *Site) reply(ctx context.Context, x *exchange.Exchange) {
	l := s.contents(ctx, x)
	if err := cut(x); err != nil {
		if s.fail(ctx, x, err); !x.Res.ErrorPage { // that has what was edited before
			l = s.contents(ctx, x)
		}
	}
	s.output(ctx, x, &l, all)
}

// contents passes the answer through what changes it: filters and the Reply steps. It returns the filters
// that come behind these.
func (s *Site) contents(ctx context.Context, x *exchange.Exchange) (l filters) {
	p := planOf(x)
	if p == nil || x.Res.Tunnel != nil {
		return l
	}
	l = filters{x.OutputFilters, p.Output}
	s.output(ctx, x, &l, exchange.ContentSet+1)
	if !x.Res.Cached {
		s.edit(ctx, x, p)
	}
	s.output(ctx, x, &l, exchange.Protocol)
	return l
}

// edit runs the Reply steps.
func (s *Site) edit(ctx context.Context, x *exchange.Exchange, p *Plan) {
	for i := range p.steps[Reply] {
		err := p.steps[Reply][i].run(ctx, x, Reply)
		if err == nil || err == exchange.Stop || x.Res.ErrorPage && !x.Undecided {
			continue
		}
		failed(x, err)
		s.page(x, err)
		return
	}
}
