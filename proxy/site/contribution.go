package site

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// contribution is what one module's Builder adds to plans: it is made once for the scopes that the Builder looks at,
// and shared by the plans of all chains that have no others of these. Immutable.
type contribution struct {
	chain    []*directive.Scope // what the Builder was given
	settings int                // bytes of the settings in them, which merging copies
	phases   uint16             // that it has steps in, by bit
	steps    []placed
	handlers []namedHandler
	*seldom
}

// seldom is what few Builders add; those that do not share one that is empty.
type seldom struct {
	observers []func(*exchange.Exchange) exchange.Observer
	input     drafted
	output    drafted
	local     *exchange.Local
	handler   exchange.Handler
	named     string
	typeOf    func(*exchange.Exchange) string
	reachable func(*exchange.Exchange) bool
	admits    func(*exchange.Exchange, string) error
	follows   bool
	indexes   bool
	noLinks   bool
}

// nothing is never written to.
var nothing seldom

// placed is a step with its place.
type placed struct {
	phase Phase
	first bool // in front of those of the modules before
	step  Step
}

func (t *contribution) add(p placed) {
	t.phases |= 1 << p.phase
	t.steps = append(t.steps, p)
}

// builder is a Module's Builder with what it looks at.
type builder struct {
	module *Module
	build  Builder
}

// looksAt reports whether what a scope says may change what the Builder adds.
func (b *builder) looksAt(s *directive.Scope) bool {
	switch {
	case b.module.Reads == nil, s.Kind == directive.Main, b.module.PerHost && s.Kind == directive.VHost:
		return true
	}
	return s.Holds(b.module.Reads...)
}

// size is how many bytes of settings the Builder merges of a scope.
func (b *builder) size(s *directive.Scope) int {
	if b.module.Reads == nil {
		return 0
	}
	return s.Size(b.module.Reads...)
}

// compiler makes plans of one load.
type compiler struct {
	builders []builder
	main     *Plan              // the main server's own
	loading  []*directive.Scope // those of its sections for which a Builder reads files

	mu     sync.Mutex
	shared map[sharedKey]*contribution // under mu: of the main server with one of its sections, which most virtual hosts have in common
}

type sharedKey struct {
	builder int
	scope   *directive.Scope
}

// server makes the plan of a server outside of its sections: of the main one first, then of virtual hosts,
// whose scopes are the main server's and their own.
func (c *compiler) server(base ...*directive.Scope) (*Plan, error) {
	if c.main != nil {
		return c.extend(c.main, base[1:])
	}
	nothing := &Plan{parts: slices.Repeat([]*contribution{{seldom: &nothing}}, len(c.builders))}
	p, err := c.extend(nothing, base)
	c.main = p
	return p, err
}

// checkOwn has the Builders look at each section of a server, so that what is wrong in it shows at the load
// and not at the first request that meets it.
func (c *compiler) checkOwn(h *Host, own *sections) error {
	for _, l := range own.lists() {
		for i := range l.all {
			scope := l.all[i].scope
			if err := c.check(h.early, scope, everyone); err != nil {
				return err
			}
			if h.early == c.main && slices.ContainsFunc(c.builders, func(b builder) bool { return b.loads(scope) }) {
				c.loading = append(c.loading, scope)
			}
		}
	}
	return nil
}

// checkLoads has the Builders that read files look at the main server's sections behind a virtual host.
func (c *compiler) checkLoads(h *Host) error {
	for _, scope := range c.loading {
		if err := c.check(h.early, scope, func(b *builder) bool { return b.loads(scope) }); err != nil {
			return err
		}
	}
	return nil
}

// loads reports whether the Builder reads files for a section.
func (b *builder) loads(s *directive.Scope) bool {
	return b.module.Loads != nil && s.Holds(b.module.Loads...)
}

// mapsByIf reports whether an <If> of a server, or of its sections, has settings that count while a request is mapped.
func (c *compiler) mapsByIf(s *sections) bool {
	if c.mapsInIf(s.ifs) {
		return true
	}
	return slices.ContainsFunc(s.locations.all, func(l section) bool { return c.mapsInIf(l.ifs) })
}

func (c *compiler) mapsInIf(groups []ifGroup) bool {
	for _, g := range groups {
		for _, b := range g.branches {
			if c.maps(b.scope) || c.mapsInIf(b.ifs) {
				return true
			}
		}
	}
	return false
}

func (c *compiler) maps(s *directive.Scope) bool {
	return slices.ContainsFunc(c.builders, func(b builder) bool { return b.module.Maps != nil && s.Holds(b.module.Maps...) })
}

// check has the wanted Builders look at a section behind a server's plan.
func (c *compiler) check(server *Plan, section *directive.Scope, wanted func(*builder) bool) error {
	if _, err := c.parts(&Plan{}, server.parts, []*directive.Scope{section}, wanted); err != nil {
		return fmt.Errorf("%s:%d: %w", section.Pos.File, section.Pos.Line, err)
	}
	return nil
}

func everyone(*builder) bool { return true }

// extend makes the plan of the chain of above with some scopes behind it.
func (c *compiler) extend(above *Plan, scopes []*directive.Scope) (*Plan, error) {
	p := &Plan{Anew: above.Anew || slices.ContainsFunc(scopes, mergedAnew)}
	parts, err := c.parts(p, above.parts, scopes, everyone)
	if err != nil {
		return nil, err
	}
	return assemble(above, parts, p)
}

// parts are those of above, with new ones of the Builders among the wanted that look at one of some scopes
// behind it. p gathers what later Builders may look at.
func (c *compiler) parts(p *Plan, above []*contribution, scopes []*directive.Scope, wanted func(*builder) bool) ([]*contribution, error) {
	parts := slices.Clone(above)
	for i := range c.builders {
		b := &c.builders[i]
		var behind []*directive.Scope
		for _, s := range scopes {
			if wanted(b) && b.looksAt(s) {
				behind = append(behind, s)
			}
		}
		if behind != nil {
			var err error
			if parts[i], err = c.once(i, p, above[i], behind); err != nil {
				return nil, err
			}
		}
		parts[i].enter(p)
	}
	return parts, nil
}

// once is make, once a load for the main server's chain with one of its sections behind it.
func (c *compiler) once(i int, p *Plan, above *contribution, behind []*directive.Scope) (*contribution, error) {
	if c.builders[i].module.Reads == nil || c.main == nil || len(behind) > 1 || behind[0].Server.Kind != directive.Main || above != c.main.parts[i] {
		return c.make(i, p, above, behind)
	}
	key := sharedKey{i, behind[0]}
	c.mu.Lock()
	made := c.shared[key]
	c.mu.Unlock()
	if made != nil {
		return made, nil
	}
	made, err := c.make(i, p, above, behind)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared == nil {
		c.shared = map[sharedKey]*contribution{}
	}
	if other := c.shared[key]; other != nil {
		return other, nil
	}
	c.shared[key] = made
	return made, nil
}

// make has a Builder add to the chain of a part with some scopes behind it. p, which is as it was then, is what it is
// given: a plan is large, and one for each Builder would leave holes between those that stay.
func (c *compiler) make(i int, p *Plan, above *contribution, behind []*directive.Scope) (*contribution, error) {
	b := &c.builders[i]
	made := &contribution{chain: append(above.chain[:len(above.chain):len(above.chain)], behind...), settings: above.settings, seldom: &nothing}
	for _, s := range behind {
		made.settings += b.size(s)
	}
	before := *p
	defer func() { *p = before }()
	*p = Plan{Local: before.Local, Named: before.Named, module: b.module.Name, draft: made}
	if err := b.build(made.chain, p); err != nil {
		return nil, err
	}
	made.steps, made.handlers = slices.Clip(made.steps), slices.Clip(made.handlers)
	made.take(p, &before)
	return made, nil
}

// take notes what a Builder has set in its plan, which was like before.
func (t *contribution) take(p, before *Plan) {
	s := seldom{observers: t.observers, input: t.input, output: t.output, handler: p.Handler, typeOf: p.TypeOf, reachable: p.Reachable,
		admits: p.Admits, follows: p.FollowsLinks, indexes: p.Indexes, noLinks: p.NoLinks}
	if p.Local != before.Local {
		s.local = p.Local
	}
	if p.Named != before.Named {
		s.named = p.Named
	}
	if !reflect.ValueOf(s).IsZero() {
		*t.own() = s
	}
}

// own is what the Builder adds that few do.
func (t *contribution) own() *seldom {
	if t.seldom == &nothing {
		t.seldom = &seldom{}
	}
	return t.seldom
}

// enter gives a plan what is not a list.
func (t *contribution) enter(p *Plan) {
	if t.local != nil {
		p.Local = t.local
	}
	if t.named != "" {
		p.Named = t.named
	}
	if p.Handler == nil {
		p.Handler = t.handler
	}
	if t.typeOf != nil {
		p.TypeOf = t.typeOf
	}
	if t.reachable != nil {
		p.Reachable = t.reachable
	}
	if t.admits != nil {
		p.Admits = t.admits
	}
	p.FollowsLinks, p.Indexes, p.NoLinks = p.FollowsLinks || t.follows, p.Indexes || t.indexes, p.NoLinks || t.noLinks
}

// assemble completes a plan by the lists of its parts. A list to which the same parts add as in the plan
// above is that plan's.
func assemble(above *Plan, parts []*contribution, p *Plan) (*Plan, error) {
	if p.Local == nil {
		return nil, fmt.Errorf("no module describes the sections' core settings")
	}
	p.parts = parts
	p.weight = planSize + 8*len(parts)
	var changed uint16
	others := false
	input, output := false, false
	for i, t := range parts {
		if old := above.parts[i]; t != old {
			changed |= t.phases | old.phases
			input = input || t.input.any() || old.input.any()
			output = output || t.output.any() || old.output.any()
			others = others || t.others() || old.others()
			p.weight += t.weight()
		}
	}
	for phase := range phases {
		if changed>>phase&1 == 0 {
			p.steps[phase] = above.steps[phase]
			continue
		}
		p.steps[phase] = listed(parts, phase)
		p.weight += len(p.steps[phase]) * stepSize
	}
	p.handlers, p.observers = above.handlers, above.observers
	if others {
		p.handlers, p.observers = listedOthers(parts)
		p.weight += len(p.handlers)*handlerSize + 8*len(p.observers)
	}
	p.input, p.output = above.input, above.output
	if input {
		p.input = wayOf(parts, func(t *seldom) *drafted { return &t.input })
		p.weight += p.input.weight()
	}
	if output {
		p.output = wayOf(parts, func(t *seldom) *drafted { return &t.output })
		p.weight += p.output.weight()
	}
	return p, nil
}

// others reports whether there are handlers or observers.
func (t *contribution) others() bool { return len(t.handlers)+len(t.observers) > 0 }

// listedOthers are the handlers and observers in the order of the parts.
func listedOthers(parts []*contribution) (handlers []namedHandler, observers []func(*exchange.Exchange) exchange.Observer) {
	for _, t := range parts {
		handlers = append(handlers, t.handlers...)
		observers = append(observers, t.observers...)
	}
	return slices.Clip(handlers), slices.Clip(observers)
}

// listed are the steps of a phase in the order of the parts.
func listed(parts []*contribution, phase Phase) []Step {
	var list []Step
	for _, t := range parts {
		for _, s := range t.steps {
			switch {
			case s.phase != phase:
			case s.first:
				list = slices.Insert(list, 0, s.step)
			default:
				list = append(list, s.step)
			}
		}
	}
	return slices.Clip(list)
}

// weight is how many bytes the part takes, about: what a Builder keeps is at most what it merged, and some
// values a step.
func (t *contribution) weight() int {
	return contributionSize + 8*len(t.chain) + len(t.steps)*(placedSize+stepWeight) +
		len(t.handlers)*(handlerSize+stepWeight) + t.input.weight() + t.output.weight() + t.settings
}

// Sizes of values in bytes.
var (
	planSize         = sizeOf[Plan]()
	stepSize         = sizeOf[Step]()
	handlerSize      = sizeOf[namedHandler]()
	filterSize       = sizeOf[exchange.Filter]()
	contributionSize = sizeOf[contribution]()
	placedSize       = sizeOf[placed]()
	nodeSize         = sizeOf[node]()
)

func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// stepWeight is for what a step's closure holds besides settings.
const stepWeight = 256

// mergedAnew reports whether httpd merges a section's settings without remembering the outcome: the same
// sections are then not known to be the same (mod_proxy.c proxy_walk; request.c ap_if_walk_sub for an <If>
// with others inside).
func mergedAnew(s *directive.Scope) bool {
	return s.Kind == directive.Proxy || s.Kind == directive.If && len(ifGroups(s)) > 0
}
