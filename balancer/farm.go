package balancer

import (
	"context"
	"sync"
	"sync/atomic"
)

// Farm owns all balancers and workers of a server, over reloads.
type Farm struct {
	// Immutable.
	methods []Method
	saver   *saver

	mu sync.Mutex // one Commit or edit at a time; never held over what waits for a disk

	// Under mu; for memory see UseMemory.
	commits     uint64 // how many there were
	memory      Memory
	predecessor Predecessor
	edits       bool  // memory has edits
	memoryErr   error // why memory has not all; not told yet

	current atomic.Pointer[Plan] // replaced under mu

	onEdit func() // see OnEdit
}

// balancerKey is a balancer's identity.
type balancerKey struct{ vhost, name string }

// workerKey is the identity of a plain worker in its virtual host, or of a member in its group.
type workerKey struct {
	vhost, name string
	match       bool
}

// NewFarm is a farm without balancers, with all lbmethods that there are. store may be nil: then
// what BalancerPersist keeps outlives a reload, but not the process.
func NewFarm(methods []Method, store Store) *Farm {
	f := &Farm{methods: methods, saver: newSaver(store)}
	f.current.Store(newPlan())
	return f
}

// method finds an lbmethod that env has loaded; nil for none.
func (f *Farm) method(name string, env Env) *Method {
	for i := range f.methods {
		if f.methods[i].Name == name && env.hasMethod(name) {
			return &f.methods[i]
		}
	}
	return nil
}

// Current is the plan in force; empty before the first Commit.
func (f *Farm) Current() *Plan { return f.current.Load() }

// Balancers is the balancers of a virtual host, in order of definition.
func (f *Farm) Balancers(vhost string) []*Balancer { return f.Current().Balancers(vhost) }

// Balancer finds a balancer by its name or URL, nil for none.
func (f *Farm) Balancer(vhost, name string) *Balancer { return f.Current().Balancer(vhost, name) }

// Workers is the workers of a virtual host that belong to no balancer, in order of definition.
func (f *Farm) Workers(vhost string) []*Worker { return f.Current().Workers(vhost) }

// OnEdit has f called after each edit, also another node's, by whoever made it: settings, conditions or members may
// be others now. f must not block. To be called before the first Plan.
func (f *Farm) OnEdit(called func()) { f.onEdit = called }

func (f *Farm) edited() {
	if f.onEdit != nil {
		f.onEdit()
	}
}

// Commit puts p in force: from now on its settings hold. It cannot fail. It returns the
// workers that are no longer in it, so that what is attached to them can be closed; requests under
// way may still use them.
func (f *Farm) Commit(p *Plan) (gone []*Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.current.Load().all()
	for _, g := range p.groups {
		g.commit()
	}
	for _, b := range p.balancers {
		b.commit(f)
	}
	for _, w := range p.workers {
		w.worker.group.mu.Lock()
		w.worker.reset(w.settings)
		w.worker.group.mu.Unlock()
	}
	f.current.Store(p)
	f.commits++
	now := p.all()
	for w := range old {
		if !now[w] {
			gone = append(gone, w)
			w.dropRow()
		}
	}
	p.release()
	f.takeOver()
	f.allocateRows()
	f.writeEdits()
	return gone
}

// Watch follows the records that other nodes save, until ctx ends.
func (f *Farm) Watch(ctx context.Context, w Watcher) error { return w.Watch(ctx, f.Adopt) }
