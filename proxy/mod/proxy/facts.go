package proxy

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// HostFacts is what pages show of a server besides its balancers.
type HostFacts struct {
	Status      bool // ProxyStatus On or Full: the status page shows the balancers
	Persist     bool // BalancerPersist
	Inherit     bool // BalancerInherit
	InheritPass bool // ProxyPassInherit
}

// FactsOf is what the directives say of a server: scope is the main server's or a virtual host's. It may
// be called by many goroutines.
func FactsOf(scope *directive.Scope) HostFacts {
	b := specBuilder{config: scope.Config}
	s := b.settings(&site.Host{Scope: scope})
	return HostFacts{
		Status: s.status.Or(statusOff) != statusOff, Persist: servers.Merged(scope).persist,
		Inherit: s.inherit.Or(true), InheritPass: s.inheritPass.Or(true),
	}
}
