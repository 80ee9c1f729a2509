package balancer

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Spec is a balancer as the configuration has it.
type Spec struct {
	VHost    string           // HostID of the virtual host that has it
	Name     string           // "balancer://x", any case
	Owner    string           // the virtual host whose balancer of this name has the members; "" for VHost
	Settings BalancerSettings // with what is inherited, see BalancerSettings.Inherit
	Members  []WorkerSpec     // of the owner only
	Added    WorkerSettings   // of members that the manager adds: ProxyTimeout, buffer sizes
	Path     string           // see Balancer.Path
	Persist  bool             // BalancerPersist
	Env      Env
	Runtime  string // DefaultRuntimeDir, for the sockets of members that the manager adds
}

// WorkerSpec is a worker as the configuration has it. VHost is for workers without a balancer.
type WorkerSpec struct {
	VHost    string
	Address  Address
	Settings WorkerSettings
}

// Roster is the balancers and workers of one configuration. Immutable after Plan; what it plans for
// the living comes true with Farm.Commit.
type Roster struct {
	balancers []*planned
	groups    []*plannedGroup
	workers   []plannedWorker
	warnings  []error
}

// planned is what a configuration wants of a balancer.
type planned struct {
	balancer *Balancer
	spec     Spec
	settings BalancerSettings // the file's, or what is kept
	group    *plannedGroup
	live     bool    // it persists and lived before: its settings stay
	record   *Record // it persists and was kept, or was edited in the process before; nil for none
	edited   bool    // the record is an edit of the process before
}

// plannedGroup is what a configuration wants of the members that balancers of one name share.
type plannedGroup struct {
	group   *group
	name    string // of its balancers
	members []plannedWorker
	added   []plannedWorker // kept ones that the manager added in an earlier life
	live    bool            // what lived before stays as it is
}

// plannedWorker is what a configuration wants of a worker.
type plannedWorker struct {
	worker   *Worker
	settings WorkerSettings // the file's, or what is kept
	born     bool           // it did not live before
	state    *State         // kept of it; nil for none
}

// Warnings is what was wrong with kept records; the plan holds without them.
func (r *Roster) Warnings() []error { return r.warnings }

// Balancers is the balancers of a virtual host, in order of definition.
func (r *Roster) Balancers(vhost string) (list []*Balancer) {
	for _, p := range r.balancers {
		if p.spec.VHost == vhost {
			list = append(list, p.balancer)
		}
	}
	return list
}

// Balancer finds a balancer by its name or URL, in any case; nil for none. It costs no allocation.
func (r *Roster) Balancer(vhost, name string) *Balancer {
	for _, p := range r.balancers {
		if p.spec.VHost == vhost && isCalled(p.spec.Name, name) {
			return p.balancer
		}
	}
	return nil
}

func (r *Roster) planned(key balancerKey) *planned {
	for _, p := range r.balancers {
		if p.balancer.key() == key {
			return p
		}
	}
	return nil
}

// Workers is the workers of a virtual host that belong to no balancer, in order of definition.
func (r *Roster) Workers(vhost string) (list []*Worker) {
	for _, p := range r.workers {
		if p.worker.vhost == vhost {
			list = append(list, p.worker)
		}
	}
	return list
}

// All is every worker of the roster, members that the manager added included, in no order.
func (r *Roster) All() []*Worker { return slices.Collect(maps.Keys(r.all())) }

// all is every worker of the roster, members that the manager added included.
func (r *Roster) all() map[*Worker]bool {
	all := map[*Worker]bool{}
	for _, g := range r.groups {
		for _, w := range g.group.list() {
			all[w] = true
		}
	}
	for _, p := range r.workers {
		all[p.worker] = true
	}
	return all
}

// Plan makes the roster of a configuration and changes nothing. Workers and balancers that live
// already are used again: a worker by virtual host, balancer and name, with its connections. What
// else they bring along is settled by BalancerPersist. Off: the file wins, counters, conditions,
// edits and nonces begin anew. On: what is kept wins, for what the file still names and for members
// that the manager added; what is kept is the living balancer, or else the store's record. Of a
// member all parameters are kept, of a balancer all but failonstatus, failontimeout and growth.
//
// The error is httpd's text, when a method is not loaded. Records that can't be read are warnings.
// Plan and Commit of one load must not overlap with those of another.
func (f *Farm) Plan(ctx context.Context, specs []Spec, workers []WorkerSpec) (*Roster, error) {
	p := planner{farm: f, old: f.roster.Load(), next: &Roster{}, groups: map[balancerKey]*plannedGroup{}}
	for _, s := range specs {
		if err := p.balancer(ctx, s); err != nil {
			return nil, err
		}
	}
	for _, b := range p.next.balancers {
		p.restore(b)
	}
	for _, s := range workers {
		p.plain(s)
	}
	return p.next, nil
}

// planner is Plan under way.
type planner struct {
	farm    *Farm
	old     *Roster
	next    *Roster
	groups  map[balancerKey]*plannedGroup // by owner
	records []Record
	loaded  bool
}

func (p *planner) balancer(ctx context.Context, s Spec) error {
	s.Name = CanonicalName(s.Name)
	if s.Owner == "" {
		s.Owner = s.VHost
	}
	if p.farm.method(s.Settings.Method.V, s.Env) == nil {
		return fmt.Errorf("Cannot find LB Method: %s", s.Settings.Method.V) // AH02432
	}
	b := &planned{spec: s, settings: s.Settings, group: p.group(s)}
	p.identify(b)
	for _, m := range s.Members {
		b.group.members = append(b.group.members, p.member(s, b.group, m.Address, m.Settings))
	}
	if b.record = p.farm.before.record(b.balancer.key()); b.record == nil && s.Persist && !b.live {
		b.record = p.record(ctx, b.balancer.key())
	} else if b.record != nil {
		b.edited = true
	}
	p.next.balancers = append(p.next.balancers, b)
	return nil
}

// group finds the members that s shares, or begins them.
func (p *planner) group(s Spec) *plannedGroup {
	key := balancerKey{s.Owner, s.Name}
	g := p.groups[key]
	if g == nil {
		g = &plannedGroup{group: &group{}, name: s.Name}
		for _, o := range p.old.balancers {
			if (balancerKey{o.spec.Owner, o.spec.Name}) == key {
				g.group = o.group.group
			}
		}
		p.groups[key] = g
		p.next.groups = append(p.next.groups, g)
	}
	return g
}

// identify finds the living balancer, or makes one.
func (p *planner) identify(b *planned) {
	if o := p.old.planned(balancerKey{b.spec.VHost, b.spec.Name}); o != nil && o.group.group == b.group.group {
		b.balancer = o.balancer
		b.live = b.spec.Persist && o.spec.Persist
		b.group.live = b.group.live || b.live
		return
	}
	b.balancer = &Balancer{vhost: b.spec.VHost, name: b.spec.Name, group: b.group.group}
	b.balancer.settings.Store(&b.spec.Settings)
	b.balancer.method.Store(p.farm.method(b.spec.Settings.Method.V, b.spec.Env))
	b.balancer.plan.Store(&b.spec)
	b.balancer.room.Store(&room{})
}

// member finds the living member of this name, or makes one.
func (p *planner) member(s Spec, g *plannedGroup, a Address, settings WorkerSettings) plannedWorker {
	named := func(w *Worker) bool { return w.Name() == a.Name() }
	for _, m := range g.members {
		if named(m.worker) { // twice the same: httpd's slots have one name, too
			return m
		}
	}
	if list := g.group.list(); slices.ContainsFunc(list, named) {
		return plannedWorker{worker: list[slices.IndexFunc(list, named)], settings: settings}
	}
	return plannedWorker{worker: newWorker(s.Owner, a, g.group, true), settings: settings, born: true}
}

// restore plans what the store has of b, and of the members unless they live. Of two records of
// one group the later counts.
func (p *planner) restore(b *planned) {
	if b.record == nil {
		return
	}
	var errs []error
	b.settings, errs = restoreBalancer(b.record.Settings, b.spec)
	p.warn(b, errs...)
	if b.group.live {
		return
	}
	b.group.added = nil
	for i := range b.record.Members {
		p.restoreMember(b, &b.record.Members[i])
	}
}

// restoreMember plans what the store has of one member: one that the file names, or that the
// manager added.
func (p *planner) restoreMember(b *planned, r *MemberRecord) {
	restore := func(m *plannedWorker) {
		var errs []error
		m.settings, errs = restoreWorker(r.Settings, m.settings, b.spec.Env)
		m.state = &r.State
		p.warn(b, errs...)
	}
	found := false
	for i := range b.group.members {
		if m := &b.group.members[i]; m.worker.Name() == r.Worker {
			restore(m)
			found = true
		}
	}
	if found || !r.Added {
		return
	}
	a, err := ParseAddress(r.Worker, b.spec.Runtime, false)
	if err != nil {
		p.warn(b, err)
		return
	}
	m := p.member(b.spec, b.group, a, b.spec.Added)
	restore(&m)
	b.group.added = append(b.group.added, m)
}

// record finds what the store has of a balancer.
func (p *planner) record(ctx context.Context, key balancerKey) *Record {
	if !p.loaded && p.farm.store != nil {
		var err error
		if p.records, err = p.farm.store.Load(ctx); err != nil {
			p.next.warnings = append(p.next.warnings, err)
		}
	}
	p.loaded = true
	for i := range p.records {
		if (balancerKey{p.records[i].VHost, CanonicalName(p.records[i].Balancer)}) == key {
			return &p.records[i]
		}
	}
	return nil
}

func (p *planner) warn(b *planned, errs ...error) {
	for _, err := range errs {
		p.next.warnings = append(p.next.warnings, fmt.Errorf("%s: kept state: %w", b.spec.Name, err))
	}
}

// plain plans a worker that belongs to no balancer.
func (p *planner) plain(s WorkerSpec) {
	key := workerKey{s.VHost, s.Address.Name(), s.Address.Match}
	has := func(m plannedWorker) bool { return m.worker.key() == key }
	if slices.ContainsFunc(p.next.workers, has) {
		return // the first is used
	}
	if i := slices.IndexFunc(p.old.workers, has); i >= 0 {
		p.next.workers = append(p.next.workers, plannedWorker{worker: p.old.workers[i].worker, settings: s.Settings})
		return
	}
	w := newWorker(s.VHost, s.Address, &group{}, false)
	p.next.workers = append(p.next.workers, plannedWorker{worker: w, settings: s.Settings, born: true})
}

func (b *Balancer) key() balancerKey { return balancerKey{b.vhost, b.name} }

func (w *Worker) key() workerKey { return workerKey{w.vhost, w.Name(), w.addr.Match} }
