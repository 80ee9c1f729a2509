package balancer

import (
	"iter"
	"maps"
	"slices"
)

// Spec is a balancer as the configuration has it.
type Spec struct {
	VHost    string           // HostID of the virtual host that has it
	Name     string           // "balancer://x", any case
	Owner    string           // the virtual host whose balancer of this name has the members; "" for VHost
	Inherits bool             // Settings and Path are those of the owner's balancer, which stands before this one
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

// Plan is the balancers and workers of one configuration: what Farm.Plan made of it, and after
// Farm.Commit what is in force. Immutable, but for the members that a group has.
type Plan struct {
	balancers []*plannedBalancer
	groups    []*plannedGroup
	workers   []plannedWorker
	warnings  []error

	// The same, by key.
	balancerOf map[balancerKey]*plannedBalancer
	groupOf    map[balancerKey]*plannedGroup // by the virtual host that has the members
	workerOf   map[workerKey]*Worker
	hosts      map[string]*host
}

// host is what a virtual host has, in order of definition.
type host struct {
	balancers []*Balancer
	workers   []*Worker // that belong to no balancer
}

// plannedBalancer is what a configuration wants of a balancer.
type plannedBalancer struct {
	balancer *Balancer
	spec     configured
	settings *BalancerSettings // the file's, or what is kept
	group    *plannedGroup
	live     bool    // it persists and lived before: its settings stay
	record   *Record // it persists and was kept, or was edited in the process before; nil for none
	edited   bool    // the record is an edit of the process before
}

// configured is a Spec as a plan keeps it: without its members, and what balancers have in common once.
type configured struct {
	*ownSpec
	*hostSpec
}

// ownSpec is what a Spec says about its balancer alone. A balancer that inherits has its owner's.
type ownSpec struct {
	Name, Owner string
	Settings    BalancerSettings
	Path        string
}

// hostSpec is what a Spec says for all balancers of its virtual host.
type hostSpec struct {
	Added   WorkerSettings
	Persist bool
	Env     Env
	Runtime string
}

// plannedGroup is what a configuration wants of the members that balancers of one name share.
type plannedGroup struct {
	group     *group
	name      string // of its balancers
	balancers []*plannedBalancer
	members   []plannedWorker
	added     []plannedWorker // kept ones that the manager added before a restart
	live      bool            // what lived before stays as it is

	known  map[string]*Worker // members in force, by name
	byName map[string]int     // index in members
}

// plannedWorker is what a configuration wants of a worker.
type plannedWorker struct {
	worker   *Worker
	settings *WorkerSettings // the file's, or what is kept
	kept     *keptState      // of a member; nil for nothing
}

func newPlan() *Plan {
	return &Plan{balancerOf: map[balancerKey]*plannedBalancer{}, groupOf: map[balancerKey]*plannedGroup{},
		workerOf: map[workerKey]*Worker{}, hosts: map[string]*host{}}
}

// host finds a virtual host's entry or makes one.
func (p *Plan) host(vhost string) *host {
	h := p.hosts[vhost]
	if h == nil {
		h = &host{}
		p.hosts[vhost] = h
	}
	return h
}

func (p *Plan) addBalancer(b *plannedBalancer) {
	p.balancers = append(p.balancers, b)
	b.group.balancers = append(b.group.balancers, b)
	h := p.host(b.balancer.vhost)
	h.balancers = append(h.balancers, b.balancer)
	if key := b.balancer.key(); p.balancerOf[key] == nil { // of two of one name the first is found
		p.balancerOf[key] = b
	}
}

func (p *Plan) addWorker(w plannedWorker) {
	p.workers = append(p.workers, w)
	p.workerOf[w.worker.key()] = w.worker
	h := p.host(w.worker.vhost)
	h.workers = append(h.workers, w.worker)
}

// release drops what only a commit needs.
func (p *Plan) release() {
	for _, g := range p.groups {
		g.members, g.added, g.known, g.byName = nil, nil, nil, nil
	}
	for _, b := range p.balancers {
		b.record = nil
	}
}

// Warnings is what was wrong with kept records; the plan holds without them.
func (p *Plan) Warnings() []error { return p.warnings }

// Balancers is the balancers of a virtual host, in order of definition. Not to be written to.
func (p *Plan) Balancers(vhost string) []*Balancer {
	if h := p.hosts[vhost]; h != nil {
		return h.balancers
	}
	return nil
}

// Workers is the workers of a virtual host that belong to no balancer, in order of definition. Not
// to be written to.
func (p *Plan) Workers(vhost string) []*Worker {
	if h := p.hosts[vhost]; h != nil {
		return h.workers
	}
	return nil
}

// Balancer finds a balancer by its name or URL, in any case; nil for none. It costs no allocation.
func (p *Plan) Balancer(vhost, name string) *Balancer {
	var buf [longestName]byte
	canonical := append(buf[:0], Prefix...)
	canonical = append(canonical, bareName(name)...)
	for i, c := range canonical {
		if 'A' <= c && c <= 'Z' {
			canonical[i] = c + 'a' - 'A'
		}
	}
	if b := p.balancerOf[balancerKey{vhost, string(canonical)}]; b != nil {
		return b.balancer
	}
	return nil
}

// Groups is the members of each balancer that has its own, with its name; of those that share them the first, in
// the virtual host that the members are of (Worker.VHost). Not to be written to.
func (p *Plan) Groups() iter.Seq2[string, []*Worker] {
	return func(yield func(string, []*Worker) bool) {
		for _, g := range p.groups {
			if !yield(g.name, g.group.list()) {
				return
			}
		}
	}
}

// All is every worker of the plan, members that the manager added included, in no order.
func (p *Plan) All() []*Worker { return slices.Collect(maps.Keys(p.all())) }

// all is every worker of the plan, members that the manager added included.
func (p *Plan) all() map[*Worker]bool {
	all := make(map[*Worker]bool, len(p.workers)+len(p.groups))
	for _, g := range p.groups {
		for _, w := range g.group.list() {
			all[w] = true
		}
	}
	for _, w := range p.workers {
		all[w.worker] = true
	}
	return all
}

func (b *Balancer) key() balancerKey { return balancerKey{b.vhost, b.name} }

func (w *Worker) key() workerKey { return workerKey{w.vhost, w.Name(), w.addr.Match} }
