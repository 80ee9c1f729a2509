package balancer

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// Plan works out what a configuration means for this farm and changes nothing. Workers and balancers
// that live already are used again: a worker by virtual host, balancer and name, with its
// connections. What else they bring along is settled by BalancerPersist. Off: the file wins;
// counters, conditions, edits and nonces begin anew. On: what is kept wins, for what the file still
// names and for members that the manager added; what is kept is the living balancer, or else the
// store's record. Of a member all parameters are kept, of a balancer all but failonstatus,
// failontimeout and growth.
//
// Both sequences may be nil, for none; they are read once. The error is httpd's text, when a method is not loaded. Records that can't be read are warnings.
// Plan and Commit of one load must not overlap with those of another.
func (f *Farm) Plan(ctx context.Context, specs iter.Seq[Spec], workers iter.Seq[WorkerSpec]) (*Plan, error) {
	p := planner{farm: f, old: f.current.Load(), next: newPlan(), hosts: map[string]*hostSpec{}, shared: map[WorkerSettings]*WorkerSettings{}, edits: f.predecessor.edits()}
	if specs != nil {
		for s := range specs {
			if err := p.balancer(ctx, s); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range p.next.balancers {
		p.restore(b)
	}
	if workers != nil {
		for s := range workers {
			p.plain(s)
		}
	}
	return p.next, nil
}

// planner is Plan under way.
type planner struct {
	farm    *Farm
	old     *Plan
	next    *Plan
	hosts   map[string]*hostSpec // by virtual host
	shared  map[WorkerSettings]*WorkerSettings
	edits   map[balancerKey]*Record // of the process before
	records map[balancerKey]*Record // of the store; nil before it is read
}

func (p *planner) balancer(ctx context.Context, s Spec) error {
	s.Name = CanonicalName(s.Name)
	if s.Owner == "" {
		s.Owner = s.VHost
	}
	b := &plannedBalancer{spec: p.configured(&s)}
	b.settings = &b.spec.Settings
	if p.farm.method(b.settings.Method.V, s.Env) == nil {
		return fmt.Errorf("Cannot find LB Method: %s", b.settings.Method.V) // AH02432
	}
	b.group = p.group(s)
	p.identify(b, s.VHost)
	for _, m := range s.Members {
		b.group.addMember(b.group.member(s.Owner, m.Address, p.share(m.Settings)))
	}
	if b.record = p.edits[b.balancer.key()]; b.record != nil {
		b.edited = true
	} else if s.Persist && !b.live {
		b.record = p.record(ctx, b.balancer.key())
	}
	p.next.addBalancer(b)
	return nil
}

// configured is what is kept of a Spec.
func (p *planner) configured(s *Spec) configured {
	c := configured{hostSpec: p.hosts[s.VHost]}
	if c.hostSpec == nil || !c.hostSpec.holdsFor(s) {
		c.hostSpec = &hostSpec{Added: s.Added, Persist: s.Persist, Env: s.Env, Runtime: s.Runtime}
		p.hosts[s.VHost] = c.hostSpec
	}
	if s.Inherits {
		if owner := p.next.balancerOf[balancerKey{s.Owner, s.Name}]; owner != nil {
			c.ownSpec = owner.spec.ownSpec
			return c
		}
	}
	c.ownSpec = &ownSpec{Name: s.Name, Owner: s.Owner, Settings: s.Settings, Path: s.Path}
	return c
}

func (h *hostSpec) holdsFor(s *Spec) bool {
	return h.Added == s.Added && h.Persist == s.Persist && h.Runtime == s.Runtime && h.Env.HCheck == s.Env.HCheck && h.Env.CPing == s.Env.CPing &&
		slices.Equal(h.Env.Methods, s.Env.Methods) && sameList(h.Env.Templates, s.Env.Templates) && sameList(h.Env.Exprs, s.Env.Exprs)
}

// sameList reports whether two slices are the same part of one array.
func sameList[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// group finds the members that s shares, or begins them.
func (p *planner) group(s Spec) *plannedGroup {
	key := balancerKey{s.Owner, s.Name}
	if g := p.next.groupOf[key]; g != nil {
		return g
	}
	g := &plannedGroup{group: &group{}, name: s.Name, known: map[string]*Worker{}, byName: map[string]int{}}
	if old := p.old.groupOf[key]; old != nil {
		g.group = old.group
		for _, w := range g.group.list() {
			g.known[w.Name()] = w
		}
	}
	p.next.groupOf[key] = g
	p.next.groups = append(p.next.groups, g)
	return g
}

// identify finds the living balancer, or makes one.
func (p *planner) identify(b *plannedBalancer, vhost string) {
	if o := p.old.balancerOf[balancerKey{vhost, b.spec.Name}]; o != nil && o.group.group == b.group.group {
		b.balancer = o.balancer
		b.live = b.spec.Persist && o.spec.Persist
		b.group.live = b.group.live || b.live
		return
	}
	b.balancer = &Balancer{vhost: vhost, name: b.spec.Name, group: b.group.group}
	b.balancer.settings.Store(&b.spec.Settings)
	b.balancer.method.Store(p.farm.method(b.spec.Settings.Method.V, b.spec.Env))
	b.balancer.spec.Store(&b.spec)
	b.balancer.slots.Store(&slots{})
}

// share is these settings, once for all workers that have the same.
func (p *planner) share(s WorkerSettings) *WorkerSettings {
	if one := p.shared[s]; one != nil {
		return one
	}
	p.shared[s] = &s
	return &s
}

// member finds the planned or living member of this address, or makes one for the virtual host owner.
func (g *plannedGroup) member(owner string, a Address, settings *WorkerSettings) plannedWorker {
	if i, twice := g.byName[a.Name()]; twice { // httpd's slots have one name, too
		return g.members[i]
	}
	if w := g.known[a.Name()]; w != nil {
		return plannedWorker{worker: w, settings: settings}
	}
	return plannedWorker{worker: newWorker(owner, a, g.group, true), settings: settings}
}

func (g *plannedGroup) addMember(m plannedWorker) {
	name := m.worker.Name()
	if _, twice := g.byName[name]; !twice {
		g.byName[name] = len(g.members)
	}
	g.members = append(g.members, m)
}

// record finds what the store has of a balancer; it is read once.
func (p *planner) record(ctx context.Context, key balancerKey) *Record {
	if p.records == nil {
		p.records = p.load(ctx)
	}
	return p.records[key]
}

func (p *planner) load(ctx context.Context) map[balancerKey]*Record {
	records := map[balancerKey]*Record{}
	if p.farm.saver.store == nil {
		return records
	}
	list, err := p.farm.saver.store.Load(ctx)
	if err != nil {
		p.next.warnings = append(p.next.warnings, err)
	}
	for i := range list {
		if key := list[i].Settings.key(); records[key] == nil {
			records[key] = &list[i]
		}
	}
	return records
}

// plain plans a worker that belongs to no balancer. Of two of one name the first counts.
func (p *planner) plain(s WorkerSpec) {
	key := workerKey{s.VHost, s.Address.Name(), s.Address.Match}
	if p.next.workerOf[key] != nil {
		return
	}
	w := p.old.workerOf[key]
	if w == nil {
		w = newWorker(s.VHost, s.Address, &group{}, false)
	}
	p.next.addWorker(plannedWorker{worker: w, settings: p.share(s.Settings)})
}
