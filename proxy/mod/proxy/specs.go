package proxy

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/site"
	"balancerd/proxy/upstream"
	"slices"
)

// specBuilder makes the specifications of workers and balancers that a farm plans with from what was read.
type specBuilder struct {
	config *directive.Config
	hosts  []*site.Host
}

// genericHost is the pseudo virtual host of the worker for everything that no line speaks of.
const genericHost = "*"

// workers are the plain workers of all servers, and the generic one.
func (b *specBuilder) workers() []balancer.WorkerSpec {
	set := balancer.NewWorkerSettings()
	set.Status = balancer.IgnoreErrors | balancer.Generic
	set.DisableReuse.V, set.AddressTTL.V = true, 0
	list := []balancer.WorkerSpec{{VHost: genericHost, Settings: set, Address: balancer.Address{URL: "proxy:reverse", Scheme: "*", Host: "*", Varies: true}}}
	for _, h := range b.hosts {
		for _, w := range inventories.In(h.Scope).workers {
			w.set.Status |= balancer.IgnoreErrors
			list = append(list, balancer.WorkerSpec{VHost: h.Server.ID, Address: w.Address, Settings: w.set})
		}
	}
	return list
}

// balancers are those of all servers, the main server's first.
func (b *specBuilder) balancers() []balancer.Spec {
	var list []balancer.Spec
	main := b.hosts[0]
	for _, h := range b.hosts {
		own := inventories.In(h.Scope).clusters
		if h != main && b.inherits(h) {
			list = append(list, b.inherited(h, own)...)
		}
		for _, c := range own {
			if h == main || !b.inherits(h) || inventories.In(main.Scope).named(c.name) == nil {
				list = append(list, b.spec(h, c))
			}
		}
	}
	return slices.DeleteFunc(list, func(s balancer.Spec) bool { return !upstream.IsBalancer(s.Name) })
}

func (b *specBuilder) inherits(h *site.Host) bool {
	set := b.settings(h)
	return set.inherits()
}

// settings are a server's, with what it inherits.
func (b *specBuilder) settings(h *site.Host) serverSettings {
	if h.Scope == b.config.Main {
		return servers.Merged(h.Scope)
	}
	return servers.Merged(b.config.Main, h.Scope)
}

// inherited are the main server's balancers in a virtual host: with settings of their own, which its
// lines about the same name may change, but with the main server's members; its own members of such
// a balancer are lost (httpd: mod_proxy.c merge_balancers).
func (b *specBuilder) inherited(h *site.Host, own []*cluster) []balancer.Spec {
	var list []balancer.Spec
	main := b.hosts[0]
	for _, c := range inventories.In(main.Scope).clusters {
		s := b.spec(h, c)
		s.Owner, s.Members = main.Server.ID, nil
		if i := slices.IndexFunc(own, func(o *cluster) bool { return o.name == c.name }); i >= 0 {
			s.Settings, s.Path = own[i].set.Inherit(c.set), own[i].path
		}
		list = append(list, s)
	}
	return list
}

func (b *specBuilder) spec(h *site.Host, c *cluster) balancer.Spec {
	added := &worker{set: balancer.NewWorkerSettings()}
	added.copyDefaults(h.Scope)
	s := balancer.Spec{
		VHost: h.Server.ID, Name: c.name, Settings: c.set, Path: c.path, Added: added.set,
		Persist: servers.In(h.Scope).persist, Env: envOf(h.Scope), Runtime: b.config.Tree.RuntimePath(""),
	}
	for _, w := range c.members {
		s.Members = append(s.Members, balancer.WorkerSpec{Address: w.Address, Settings: w.set})
	}
	return s

}

// upstreams gathers what a server's requests may be proxied to.
func (b *specBuilder) upstreams(h *site.Host, plan *balancer.Plan) *upstream.Upstreams {
	main := b.hosts[0]
	set := b.settings(h)
	u := &upstream.Upstreams{
		Host: h, Plan: plan, Generic: plan.Workers(genericHost)[0], Relative: b.config.Tree.RuntimePath,
		Settings: set.requests(h),
	}
	var lines []*upstream.Line
	if h != main {
		lines = inventories.In(main.Scope).lines
		if set.inherits() {
			u.Workers = plan.Workers(main.Server.ID)
		}
	}
	u.Workers = append(slices.Clip(u.Workers), plan.Workers(h.Server.ID)...)
	u.Compile(slices.Concat(lines, inventories.In(h.Scope).lines))
	return u
}
