package proxy

import (
	"slices"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/site"
)

// fleet is the mappings, workers and balancers that the requests of one server may use: a virtual
// host's own and, in front of them, the main server's. Immutable once Open is through.
type fleet struct {
	host     *site.Host
	set      serverSettings
	roster   *balancer.Plan
	workers  []*balancer.Worker // without a balancer
	generic  *balancer.Worker   // for URLs that none of them covers; httpd's "proxy:reverse"
	routes   []*route           // the lines outside of sections, in the order in which they are tried
	relative func(string) string
}

// balancer finds a balancer by its URL; nil for none.
func (f *fleet) balancer(url string) *balancer.Balancer {
	return f.roster.Balancer(f.host.Server.ID, url)
}

// muster turns what was read into specifications for the farm.
type muster struct {
	config *directive.Config
	hosts  []*site.Host
}

// genericHost is the pseudo virtual host of the worker for everything that no line speaks of.
const genericHost = "*"

// workers are the plain workers of all servers, and the generic one.
func (m *muster) workers() []balancer.WorkerSpec {
	set := balancer.NewWorkerSettings()
	set.Status = balancer.IgnoreErrors | balancer.Generic
	set.DisableReuse.V, set.AddressTTL.V = true, 0
	list := []balancer.WorkerSpec{{VHost: genericHost, Settings: set, Address: balancer.Address{URL: "proxy:reverse", Scheme: "*", Host: "*", Varies: true}}}
	for _, h := range m.hosts {
		for _, w := range inventories.In(h.Scope).workers {
			w.set.Status |= balancer.IgnoreErrors
			list = append(list, balancer.WorkerSpec{VHost: h.Server.ID, Address: w.Address, Settings: w.set})
		}
	}
	return list
}

// balancers are those of all servers, the main server's first.
func (m *muster) balancers() []balancer.Spec {
	var list []balancer.Spec
	main := m.hosts[0]
	for _, h := range m.hosts {
		own := inventories.In(h.Scope).clusters
		if h != main && m.inherits(h) {
			list = append(list, m.inherited(h, own)...)
		}
		for _, c := range own {
			if h == main || !m.inherits(h) || inventories.In(main.Scope).named(c.name) == nil {
				list = append(list, m.spec(h, c))
			}
		}
	}
	return slices.DeleteFunc(list, func(s balancer.Spec) bool { return !isBalancer(s.Name) })
}

func (m *muster) inherits(h *site.Host) bool {
	set := m.settings(h)
	return set.inherits()
}

// settings are a server's, with what it inherits.
func (m *muster) settings(h *site.Host) serverSettings {
	if h.Scope == m.config.Main {
		return servers.Merged(h.Scope)
	}
	return servers.Merged(m.config.Main, h.Scope)
}

// inherited are the main server's balancers in a virtual host: with settings of their own, which its
// lines about the same name may change, but with the main server's members; its own members of such
// a balancer are lost (httpd: mod_proxy.c merge_balancers).
func (m *muster) inherited(h *site.Host, own []*cluster) []balancer.Spec {
	var list []balancer.Spec
	main := m.hosts[0]
	for _, c := range inventories.In(main.Scope).clusters {
		s := m.spec(h, c)
		s.Owner, s.Members = main.Server.ID, nil
		if i := slices.IndexFunc(own, func(o *cluster) bool { return o.name == c.name }); i >= 0 {
			s.Settings, s.Path = own[i].set.Inherit(c.set), own[i].path
		}
		list = append(list, s)
	}
	return list
}

func (m *muster) spec(h *site.Host, c *cluster) balancer.Spec {
	added := &worker{set: balancer.NewWorkerSettings()}
	added.copyDefaults(h.Scope)
	s := balancer.Spec{
		VHost: h.Server.ID, Name: c.name, Settings: c.set, Path: c.path, Added: added.set,
		Persist: servers.In(h.Scope).persist, Env: envOf(h.Scope), Runtime: m.config.Tree.RuntimePath(""),
	}
	for _, w := range c.members {
		s.Members = append(s.Members, balancer.WorkerSpec{Address: w.Address, Settings: w.set})
	}
	return s
}

// fleet gathers what a server's requests may use.
func (m *muster) fleet(h *site.Host, r *balancer.Plan) *fleet {
	main := m.hosts[0]
	f := &fleet{host: h, set: m.settings(h), roster: r, generic: r.Workers(genericHost)[0], relative: m.config.Tree.RuntimePath}
	var lines []*line
	if h != main {
		lines = inventories.In(main.Scope).lines
		if f.set.inherits() {
			f.workers = r.Workers(main.Server.ID)
		}
	}
	f.workers = append(slices.Clip(f.workers), r.Workers(h.Server.ID)...)
	for _, l := range slices.Concat(lines, inventories.In(h.Scope).lines) {
		f.routes = append(f.routes, f.compile(l))
	}
	return f
}
