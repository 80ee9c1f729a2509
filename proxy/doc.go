// Package proxy is mod_proxy: what is proxied where, and what happens when it fails.
//
//	file    ProxyPass  <Proxy>  BalancerMember  ProxySet
//	            \         |          |            /
//	load     inventory: lines, workers, clusters            one a server
//	                      |  Open
//	         balancer.Farm.Plan ---> fleet: routes, workers, balancers
//	                      |  Builder
//	request  mapper ---> handler ---> backend
//	         path        aim          RoundTrip
//	         to URL      pick <--.
//	                     dress   |    failed: another member?
//	                     send ---'
//	                     answered: override, reverse, Via
//
// Reading order: module.go (the directives), settings.go, pass.go and members.go (lines to workers and
// balancers), open.go and fleet.go (these to what serves), route.go and mapping.go (path to URL),
// handler.go (the try loop), flight.go (what it remembers), target.go, forwarded.go (the request),
// outcome.go, failover.go and status.go (when it fails), reverse.go and override.go (the answer).
package proxy
