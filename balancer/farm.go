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
	store   Store

	mu      sync.Mutex             // one Commit, edit or save at a time
	saved   map[balancerKey]Record // under mu: what the store has
	failing bool                   // under mu: the last save failed

	// Under mu; see Remember.
	memory    Memory
	before    Before
	edits     bool  // memory has edits
	forgotten error // why memory has not all; not told yet

	roster atomic.Pointer[Roster] // replaced under mu
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
	f := &Farm{methods: methods, store: store, saved: map[balancerKey]Record{}}
	f.roster.Store(&Roster{})
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

// Roster is what is in force; empty before the first Commit.
func (f *Farm) Roster() *Roster { return f.roster.Load() }

// Balancers is the balancers of a virtual host, in order of definition.
func (f *Farm) Balancers(vhost string) []*Balancer { return f.Roster().Balancers(vhost) }

// Balancer finds a balancer by its name or URL, nil for none.
func (f *Farm) Balancer(vhost, name string) *Balancer { return f.Roster().Balancer(vhost, name) }

// Workers is the workers of a virtual host that belong to no balancer, in order of definition.
func (f *Farm) Workers(vhost string) []*Worker { return f.Roster().Workers(vhost) }

// Commit makes r the farm's roster: from now on its settings hold. It cannot fail. It returns the
// workers that are no longer in it, so that what is attached to them can be closed; requests under
// way may still use them.
func (f *Farm) Commit(r *Roster) (gone []*Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.roster.Load().all()
	for _, g := range r.groups {
		g.commit()
	}
	for _, p := range r.balancers {
		p.commit(f)
	}
	for _, p := range r.workers {
		p.worker.group.mu.Lock()
		p.worker.restart(p.settings)
		p.worker.group.mu.Unlock()
	}
	f.roster.Store(r)
	kept := r.all()
	for w := range old {
		if !kept[w] {
			gone = append(gone, w)
			w.forget()
		}
	}
	f.resume()
	f.remember()
	f.keepEdits()
	return gone
}

// Watch follows the records that other nodes save, until ctx ends.
func (f *Farm) Watch(ctx context.Context, w Watcher) error { return w.Watch(ctx, f.Adopt) }
