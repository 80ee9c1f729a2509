package site

import (
	"context"
	"errors"
	"slices"

	"balancerd/proxy/exchange"
)

// way is the filters of one direction.
type way struct {
	known []exchange.Filter // those that may be named
	used  []exchange.Filter // those that every message passes through, by kind
}

// drafted is what one Builder says of the filters of a direction.
type drafted struct {
	known []exchange.Filter
	used  []use
}

// use is a filter to be used: one that goes by a name, or one without.
type use struct {
	name   string
	filter *exchange.Filter // nil: the one of the name
}

// InputFor makes a filter of requests known by its name, which the configuration may use whatever the case of its
// letters; OutputFor one of answers. A Builder calls it, with its own module's settings in Do. The Module is filled in.
func (p *Plan) InputFor(f exchange.Filter) {
	p.input.know(p, f, func(t *seldom) *drafted { return &t.input })
}

// OutputFor is said at InputFor.
func (p *Plan) OutputFor(f exchange.Filter) {
	p.output.know(p, f, func(t *seldom) *drafted { return &t.output })
}

// AddInput puts the filter of a name into the way of each request that the plan holds for, AddOutput into that of
// each answer. A Builder calls it; whose filter it is does not matter, nor whether that Builder has run.
func (p *Plan) AddInput(name string) {
	p.input.use(p, name, func(t *seldom) *drafted { return &t.input })
}

// AddOutput is said at AddInput.
func (p *Plan) AddOutput(name string) {
	p.output.use(p, name, func(t *seldom) *drafted { return &t.output })
}

// UseOutput puts a filter that has no name for others into the way of each answer that the plan holds for. The Module
// is filled in.
func (p *Plan) UseOutput(f exchange.Filter) {
	f.Module = p.module
	if p.draft != nil {
		d := &p.draft.own().output
		d.used = append(d.used, use{filter: &f})
		return
	}
	p.output.used = exchange.InsertFilter(p.output.used, f)
}

func (w *way) know(p *Plan, f exchange.Filter, of func(*seldom) *drafted) {
	f.Module = p.module
	if p.draft != nil {
		d := of(p.draft.own())
		d.known = append(d.known, f)
		return
	}
	w.known = append(w.known, f)
}

func (w *way) use(p *Plan, name string, of func(*seldom) *drafted) {
	if p.draft != nil {
		d := of(p.draft.own())
		d.used = append(d.used, use{name: name})
		return
	}
	w.used = exchange.InsertFilter(w.used, w.named(name))
}

// named is the filter of a name. In the place of one that nobody has stands one that says so, request by
// request (httpd: util_filter.c add_any_filter).
func (w *way) named(name string) exchange.Filter {
	if f, ok := w.find(name); ok {
		return f
	}
	return exchange.Filter{Module: "core", Name: name, Pages: true, Do: func(_ context.Context, x *exchange.Exchange) error {
		x.Log("core", exchange.Error, nil, x.Arena.Join("AH00082: an unknown filter was not added: ", name))
		return nil
	}}
}

func (w *way) of(u use) exchange.Filter {
	if u.filter != nil {
		return *u.filter
	}
	return w.named(u.name)
}

// find is the filter of a name, the last that was made known.
func (w *way) find(name string) (exchange.Filter, bool) {
	for i := len(w.known) - 1; i >= 0; i-- {
		if exchange.EqualFold(w.known[i].Name, name) {
			return w.known[i], true
		}
	}
	return exchange.Filter{}, false
}

// wayOf is what the parts of a plan make of a direction.
func wayOf(parts []*contribution, of func(*seldom) *drafted) (w way) {
	for _, t := range parts {
		w.known = append(w.known, of(t.seldom).known...)
	}
	for _, t := range parts {
		for _, u := range of(t.seldom).used {
			w.used = exchange.InsertFilter(w.used, w.of(u))
		}
	}
	w.known, w.used = slices.Clip(w.known), slices.Clip(w.used)
	return w
}

// any reports whether anything is said.
func (d *drafted) any() bool { return len(d.known)+len(d.used) > 0 }

func (d *drafted) weight() int { return (len(d.known) + len(d.used)) * (filterSize + stepWeight) }

func (w *way) weight() int { return (len(w.known) + len(w.used)) * filterSize }

// InputNamed is the filter of requests that goes by a name where an exchange is served, for a step that puts it
// into this exchange's way (x.AddInput) or has it act in its own place.
func InputNamed(x *exchange.Exchange, name string) (f exchange.Filter, ok bool) {
	if p := planOf(x); p != nil {
		return p.input.find(name)
	}
	return f, false
}

// OutputNamed is InputNamed for answers.
func OutputNamed(x *exchange.Exchange, name string) (f exchange.Filter, ok bool) {
	if p := planOf(x); p != nil {
		return p.output.find(name)
	}
	return f, false
}

// AddOutputNamed puts the filter of a name into the way of this exchange's answer; in the place of one that nobody has,
// one that says so.
func AddOutputNamed(x *exchange.Exchange, name string) {
	if p := planOf(x); p != nil {
		x.AddOutput(p.output.named(name))
	}
}

// AddInputNamed is AddOutputNamed for the request's body.
func AddInputNamed(x *exchange.Exchange, name string) {
	if p := planOf(x); p != nil {
		x.AddInput(p.input.named(name))
	}
}

// ContentType is the media type of x's answer, as a filter and Header's edits see it: what its fields say, else what the
// name of what was asked for stands for; "" if nobody knows (httpd: r->content_type).
func ContentType(x *exchange.Exchange) string {
	for _, h := range [...]*exchange.Header{&x.Res.Header, &x.Res.Always} {
		if t := h.Get("Content-Type"); t != "" {
			return t
		}
	}
	if p := planOf(x); p != nil && p.TypeOf != nil && x.Res.HasDocument() && !x.Res.Typed {
		return p.TypeOf(x)
	}
	return ""
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

// input puts the filters into the way of a request that has a body, the last one first: as httpd's do, each reads from the
// one behind it, so that what is packed is unpacked before its contents are changed. That is done once: what serves the
// request in the place of another has what that one got.
func input(ctx context.Context, x *exchange.Exchange, p *Plan) error {
	if x.Req.Length == 0 || x.Req.Filtered || len(x.InputFilters)+len(p.input.used) == 0 {
		return nil
	}
	x.Req.Filtered = true
	l := filters{x.InputFilters, p.input.used}
	order := make([]*exchange.Filter, 0, 4)
	for f := l.next(all); f != nil; f = l.next(all) {
		order = append(order, f)
	}
	for _, f := range slices.Backward(order) {
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
// filters come behind Protocol. An *exchange.Redirect ends it and is returned: another path's answer is wanted.
func (s *Site) output(ctx context.Context, x *exchange.Exchange, l *filters, below exchange.FilterKind) error {
	for f := l.next(below); f != nil; f = l.next(below) {
		if x.Res.Drop || f.Kind < exchange.Protocol && (x.Res.Cached && !f.Resumes || x.Res.ErrorPage && !f.Pages) {
			continue
		}
		before := x.Res.Body
		err := f.Do(ctx, x)
		if x.Undecided {
			err = exchange.Status(500)
		}
		filtered(x, f, "output_filter", err, x.Res.Body != before)
		var other *exchange.Redirect
		if errors.As(err, &other) {
			return err
		}
		if err != nil {
			failed(x, err)
			s.page(x, err)
		}
	}
	return nil
}

// reply completes the answer, whose head is there and not yet sent: it passes through its filters, its head is
// edited between them, and it is cut to the range that was asked for. What stands in the place of a range
// that is not there is not cut. Nothing is done to a 101: it is passed on at once (httpd: protocol.c
// ap_send_interim_response).
func (s *Site) reply(ctx context.Context, x *exchange.Exchange) {
	for range limitOf(s.Settings.RedirectLimit) + 1 {
		other := s.complete(ctx, x)
		if other == nil {
			return
		}
		s.fail(ctx, x, other)
	}
	s.page(x, exchange.Status(500))
}

func (s *Site) complete(ctx context.Context, x *exchange.Exchange) (other error) {
	l, other := s.contents(ctx, x)
	if other != nil {
		return other
	}
	if err := cut(x); err != nil {
		if s.fail(ctx, x, err); !x.Res.ErrorPage { // that has what was edited before
			if l, other = s.contents(ctx, x); other != nil {
				return other
			}
		}
	}
	return s.output(ctx, x, &l, all)
}

// contents passes the answer through what changes it: filters and the Reply steps. It returns the filters
// that come behind these; other is the path whose answer is wanted instead.
func (s *Site) contents(ctx context.Context, x *exchange.Exchange) (l filters, other error) {
	p := planOf(x)
	if p == nil || x.Res.IsSwitch() {
		return l, nil
	}
	l = filters{x.OutputFilters, p.output.used}
	if other = s.output(ctx, x, &l, exchange.ContentSet+1); other != nil {
		return l, other
	}
	if !x.Res.Cached {
		s.edit(ctx, x, p)
	}
	return l, s.output(ctx, x, &l, exchange.Protocol)
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
