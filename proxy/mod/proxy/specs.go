package proxy

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/site"
	"balancerd/proxy/upstream"
	"iter"
)

// specBuilder makes the specifications of workers and balancers that a farm plans with from what was read.
type specBuilder struct {
	config *directive.Config
	hosts  []*site.Host
}

// genericHost is the pseudo virtual host of the worker for everything that no line speaks of.
const genericHost = "*"

// workers are the plain workers of all servers, and the generic one.
func (b *specBuilder) workers() iter.Seq[balancer.WorkerSpec] {
	set := balancer.NewWorkerSettings()
	set.Status = balancer.IgnoreErrors | balancer.Generic
	set.DisableReuse.V, set.AddressTTL.V = true, 0
	generic := balancer.WorkerSpec{VHost: genericHost, Settings: set, Address: balancer.Address{URL: "proxy:reverse", Scheme: "*", Host: "*", Varies: true}}
	return func(yield func(balancer.WorkerSpec) bool) {
		if !yield(generic) {
			return
		}
		for _, h := range b.hosts {
			for _, w := range inventoryIn(h.Scope).workers.all {
				w.set.Status |= balancer.IgnoreErrors
				if !yield(balancer.WorkerSpec{VHost: h.Server.ID, Address: w.Address, Settings: w.set}) {
					return
				}
			}
		}
	}
}

// balancers are those of all servers, the main server's first.
func (b *specBuilder) balancers() iter.Seq[balancer.Spec] {
	return func(yield func(balancer.Spec) bool) {
		for _, h := range b.hosts {
			for s := range b.balancersOf(h) {
				if upstream.IsBalancer(s.Name) && !yield(s) {
					return
				}
			}
		}
	}
}

// balancersOf are those of a server: what it inherits and does not mention itself, then those that it has lines
// about, in their order (httpd: mod_proxy.c merge_balancers).
func (b *specBuilder) balancersOf(h *site.Host) iter.Seq[balancer.Spec] {
	shared, own := inventoryIn(b.hosts[0].Scope), b.server(h)
	main := b.hosts[0].Server.ID
	inherits := h != b.hosts[0] && own.inherits
	return func(yield func(balancer.Spec) bool) {
		if inherits {
			for _, c := range shared.clusters {
				if own.named(c.name) == nil && !yield(own.inherited(c, main)) {
					return
				}
			}
		}
		for _, c := range own.clusters {
			spec := own.spec
			if inherits && shared.named(c.name) != nil {
				c, spec = shared.named(c.name), func(c *cluster) balancer.Spec { return own.inherited(c, main) }
			}
			if !yield(spec(c)) {
				return
			}
		}
	}
}

// settings are a server's, with what it inherits.
func (b *specBuilder) settings(h *site.Host) serverSettings {
	if h.Scope == b.config.Main {
		return servers.Merged(h.Scope)
	}
	return servers.Merged(b.config.Main, h.Scope)
}

// forget drops what was read once it is in force.
func (b *specBuilder) forget() {
	for _, h := range b.hosts {
		if inventories.Has(h.Scope) {
			*inventories.In(h.Scope) = inventory{}
		}
	}
}

// server is what the balancers of one server have in common.
type server struct {
	*inventory
	id       string
	inherits bool
	persist  bool
	added    balancer.WorkerSettings // of members that the manager adds
	env      balancer.Env
	runtime  string
}

func (b *specBuilder) server(h *site.Host) *server {
	added := &worker{set: balancer.NewWorkerSettings()}
	added.copyDefaults(h.Scope)
	set := b.settings(h)
	return &server{
		inventory: inventoryIn(h.Scope), id: h.Server.ID, inherits: set.inherits(), persist: servers.Merged(h.Scope).persist,
		added: added.set, env: envOf(hcheck.InForce(h.Scope)), runtime: b.config.Tree.RuntimePath(""),
	}
}

// inherited is one of the main server's balancers in a virtual host: with settings of its own, which the host's
// lines about the same name may change, but with the main server's members; the host's own members of such
// a balancer are lost (httpd: mod_proxy.c merge_balancers).
func (s *server) inherited(c *cluster, owner string) balancer.Spec {
	spec := s.base(c)
	spec.Owner, spec.Inherits = owner, true
	if own := s.named(c.name); own != nil {
		spec.Settings, spec.Path, spec.Inherits = own.set.Inherit(c.set), own.path, false
	}
	return spec
}

func (s *server) spec(c *cluster) balancer.Spec {
	spec := s.base(c)
	spec.Members = make([]balancer.WorkerSpec, 0, len(c.members.all))
	for _, w := range c.members.all {
		spec.Members = append(spec.Members, balancer.WorkerSpec{Address: w.Address, Settings: w.set})
	}
	return spec
}

// base is a balancer without its members.
func (s *server) base(c *cluster) balancer.Spec {
	return balancer.Spec{
		VHost: s.id, Name: c.name, Settings: c.set, Path: c.path, Added: s.added,
		Persist: s.persist, Env: s.env, Runtime: s.runtime,
	}
}

// upstreams gathers what each server's requests may be proxied to. What the main server has is compiled once.
func (b *specBuilder) upstreams(plan *balancer.Plan) map[*directive.Scope]*upstream.Upstreams {
	main := b.hosts[0]
	out := make(map[*directive.Scope]*upstream.Upstreams, len(b.hosts))
	workers := upstream.NewWorkers(plan.Workers(main.Server.ID))
	lines := upstream.NewLines(inventoryIn(main.Scope).lines)
	for _, h := range b.hosts {
		set := b.settings(h)
		u := &upstream.Upstreams{
			Host: h, Plan: plan, Generic: plan.Workers(genericHost)[0], Relative: b.config.Tree.RuntimePath,
			Settings: set.requests(h),
		}
		if h == main || set.inherits() {
			u.Workers = append(u.Workers, workers)
		}
		list := []*upstream.Lines{lines}
		if own := plan.Workers(h.Server.ID); h != main && len(own) > 0 {
			u.Workers = append(u.Workers, upstream.NewWorkers(own))
		}
		if own := inventoryIn(h.Scope).lines; h != main && len(own) > 0 {
			list = append(list, upstream.NewLines(own))
		}
		u.Compile(list...)
		out[h.Scope] = u
	}
	return out
}
