package proxy

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/upstream"
	"iter"
)

// inventory is what the lines of one server made: mappings, workers and balancers, in the order of
// the file. It grows while the file is read; Open makes a specification of it, see specs.go.
type inventory struct {
	lines    []*upstream.Line
	workers  workerList
	clusters []*cluster
	notes    []string // of level info, about workers that are shared

	byName map[string]*cluster // the clusters
}

// cluster is a balancer while the configuration is read.
type cluster struct {
	name    string // "balancer://name"
	set     balancer.BalancerSettings
	members workerList
	path    string // the front-end path that the last ProxyPass gave it; shown by the manager
}

var inventories = directive.NewKey[inventory]("mod_proxy-inventory", func(outer, inner inventory) inventory { return inner })

// inventoryOf is the inventory of the server that a scope is or stands in, for its lines to add to.
func inventoryOf(s *directive.Scope) *inventory { return inventories.In(s.Server) }

// inventoryIn is the inventory of a server, to be read.
func inventoryIn(server *directive.Scope) *inventory {
	if !inventories.Has(server) {
		return &inventory{}
	}
	return inventories.In(server)
}

// named finds a balancer by its canonical name; nil for none.
func (v *inventory) named(name string) *cluster { return v.byName[name] }

// cluster finds a balancer by its URL, any case, path left out; nil for none.
func (v *inventory) cluster(url string) *cluster {
	name, err := balancer.ParseName(url)
	if err != nil {
		return nil
	}
	return v.named(name)
}

// makeCluster is cluster, which makes the balancer when it is mentioned first. path is its front end's
// then.
func (v *inventory) makeCluster(url, path string) (*cluster, error) {
	name, err := balancer.ParseName(url)
	if err != nil {
		return nil, err
	}
	c := v.named(name)
	if c == nil {
		c = &cluster{name: name, set: balancer.NewBalancerSettings(), path: path}
		if v.byName == nil {
			v.byName = map[string]*cluster{}
		}
		v.clusters, v.byName[name] = append(v.clusters, c), c
	}
	return c, nil
}

// everyWorker is the workers without a balancer, then the members of the balancers.
func (v *inventory) everyWorker() iter.Seq[*worker] {
	return func(yield func(*worker) bool) {
		for _, w := range v.workers.all {
			if !yield(w) {
				return
			}
		}
		for _, c := range v.clusters {
			for _, w := range c.members.all {
				if !yield(w) {
					return
				}
			}
		}
	}
}
