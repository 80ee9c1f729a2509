package balancer

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Change is one edit of a balancer, of one of its members, or both.
type Change struct {
	VHost    string
	Balancer string // name or URL, any case
	Worker   string // URL: the longest member that covers it is meant; "" for none

	// Form is values of the manager's fields (w_lf, b_lbm …), any case: what is unknown or bad is
	// ignored, and w_ fields without a worker are.
	Form []Value
	// Params is values of parameters as the configuration names them (loadfactor, lbmethod …), of
	// the worker if there is one, else of the balancer. What is unknown or bad is an error, and then
	// nothing is changed.
	Params []Value

	Add string // URL of a member to add, disabled; "" for none

	Check bool // the worker's health check is asked for now
}

// Value is one value of a Change. Of several of one name the last counts.
type Value struct{ Name, Text string }

// The reasons why a Change is refused. For the first two nothing is found to be changed; for the others
// httpd answers 400.
var (
	ErrUnknownBalancer = errors.New("no such balancer")
	ErrUnknownWorker   = errors.New("no such worker")
	ErrDuplicate       = errors.New("another member covers the URL") // AH10164
	ErrNoFreeSlot      = errors.New("no room for another member")    // AH10164
	ErrBadAddress      = errors.New("not the URL of a worker")       // AH10163
	ErrNotChecked      = errors.New("the member is stopped, or has no hcmethod")
)

// Apply makes an edit: first the worker's, then the balancer's, then a member is added. It holds at
// once and for all requests. If the balancer persists it is kept before Apply returns; a *SaveError
// says that the edit holds but could not be kept. What was edited before a member was refused stays
// edited, as in httpd (httpd: mod_proxy_balancer.c balancer_process_balancer_worker).
func (f *Farm) Apply(ctx context.Context, c Change) error {
	changed, refused := f.apply(c)
	f.edited()
	if len(changed) == 0 || f.saver.store == nil {
		return refused
	}
	tried, err := f.saveSettings(context.WithoutCancel(ctx), changed)
	if !tried {
		return refused
	}
	if err := f.saver.outcome(err); refused == nil {
		return err
	}
	return refused
}

// apply is Apply without what waits for a disk: changed is the balancers whose settings are to be kept
// now, those that share the members included. It may be some although a member was refused.
func (f *Farm) apply(c Change) (changed []balancerKey, refused error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.current.Load().balancerOf[balancerKey{c.VHost, CanonicalName(c.Balancer)}]
	if p == nil {
		return nil, ErrUnknownBalancer
	}
	b := p.balancer
	w := b.Member(c.Worker)
	if w == nil && c.Worker != "" && len(c.Params) > 0 {
		return nil, ErrUnknownWorker
	}
	if err := b.edit(f, w, c); err != nil {
		return nil, err
	}
	if c.Check && (w == nil || !w.askForCheck()) {
		refused = ErrNotChecked
	}
	if c.Check && c.Add == "" && len(c.Form)+len(c.Params) == 0 {
		return nil, refused // nothing was edited
	}
	if c.Add != "" {
		if _, refused = b.add(c.Add); refused == nil {
			f.allocateRows()
		}
	}
	b.group.mu.Lock()
	for _, s := range p.group.balancers {
		s.balancer.revise(s.balancer.lastEdit.revision + 1)
		changed = append(changed, s.balancer.key())
	}
	b.group.mu.Unlock()
	f.writeEdit(b)
	return changed, refused
}

// edit applies the values of c in one step that no pick sees half of.
func (b *Balancer) edit(f *Farm, w *Worker, c Change) error {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	env := b.Env()
	ofWorker, ofBalancer := c.Params, []Value(nil)
	if w == nil {
		ofWorker, ofBalancer = nil, c.Params
	}
	next := *b.Settings()
	if err := setValues(BalancerParams, &next, ofBalancer, env); err != nil {
		return err
	}
	if w != nil {
		if err := b.editWorker(w, ofWorker, c.Form, env); err != nil {
			return err
		}
	}
	setFields(BalancerParams, &next, c.Form, env)
	b.editSelf(f, next)
	return nil
}

// editSelf puts settings in force. Another method resets the members' figures, at the next Sync.
func (b *Balancer) editSelf(f *Farm, s BalancerSettings) {
	if s.Method.V != b.Settings().Method.V {
		b.method.Store(f.method(s.Method.V, b.Env()))
		b.changed, b.stale = true, true
	}
	b.settings.Store(&s)
}

// editWorker applies values to a member. A new load factor, even the same, makes all members' loads
// their factors; a member that becomes usable has the figures reset, but only when the method
// changes next.
func (b *Balancer) editWorker(w *Worker, params, form []Value, env Env) error {
	s := *w.Settings()
	before := w.Status()
	s.Status = before
	if err := setValues(WorkerParams, &s, params, env); err != nil {
		return err
	}
	weighed := setFields(WorkerParams, &s, form, env)["loadfactor"] ||
		slices.ContainsFunc(params, func(v Value) bool { return WorkerParams.Named(v.Name).Name == "loadfactor" })
	if !s.Health.Method.usesExpr() {
		s.Health.Expr = ""
	}
	w.setStatus(s.Status)
	s.Status = w.Settings().Status
	w.configure(s)
	if weighed {
		b.group.weigh()
	}
	w.writeRow()
	if !before.Usable() && w.Usable() {
		b.stale = true
	}
	return nil
}

// weigh makes each load the factor; a lone member gets factor 1 (httpd: mod_proxy_balancer.c
// recalc_factors). Under mu.
func (g *group) weigh() {
	list := g.list()
	if len(list) == 1 {
		s := *list[0].Settings()
		s.LoadFactor = 100
		list[0].configure(s)
	}
	g.change()
	for _, w := range list {
		w.load = w.factor
	}
}

// setValues sets parameters as the configuration does, all or none.
func setValues[S any](t Table[S], s *S, values []Value, e Env) error {
	for _, v := range values {
		p := t.Named(v.Name)
		if p == nil {
			return fmt.Errorf("%s: no such parameter", v.Name)
		}
		if err := p.Set(s, v.Text, e); err != nil {
			return fmt.Errorf("%s=%s: %w", v.Name, v.Text, err)
		}
	}
	return nil
}

// setFields sets the fields of a form in the table's order, and returns the names of the parameters
// whose values were taken.
func setFields[S any](t Table[S], s *S, values []Value, e Env) map[string]bool {
	last := map[*Param[S]]string{}
	for _, v := range values {
		if p := t.Field(v.Name); p != nil {
			last[p] = v.Text
		}
	}
	taken := map[string]bool{}
	for i := range t {
		if v, has := last[&t[i]]; has && t[i].FormSet(s, v, e) {
			taken[t[i].Name] = true
		}
	}
	return taken
}

// add makes a new member at url, disabled.
func (b *Balancer) add(url string) (*Worker, error) {
	if b.Member(url) != nil {
		return nil, ErrDuplicate
	}
	if !b.HasFreeSlot() {
		return nil, fmt.Errorf("%w: the balancer may have %d, growth= allows more", ErrNoFreeSlot, b.slots.Load().max)
	}
	spec := b.spec.Load()
	a, err := ParseAddress(url, spec.Runtime, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadAddress, err)
	}
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	w := newWorker(spec.Owner, a, b.group, true)
	s := spec.Added
	s.Status |= Disabled
	w.reset(&s)
	w.added = true
	b.group.setList(append(slices.Clip(b.group.list()), w))
	n := *b.slots.Load()
	n.used++
	b.slots.Store(&n)
	return w, nil
}
