// Package proxy is mod_proxy, as far as it is configuration: its directives, and what they make of workers,
// balancers and ProxyPass lines. What then happens to a request is package upstream's.
//
//	file   ProxyPass   <Proxy>   BalancerMember   ProxySet        ProxyTimeout, ProxyVia …
//	              \       |            |            /                     |
//	read    inventory: lines, workers, balancers, one a server     serverSettings, dirSettings
//	                      | Open                                          |
//	build   specBuilder ---> balancer.Farm.Plan ---> upstream.Upstreams <-'
//	                                                      | Builder
//	                                                 a Plan's steps and handler
//
// Reading order: module.go (the directives), directives.go and settings.go (what they set), pass.go, members.go
// and section.go (lines to workers and balancers), inventory.go, workers.go and workerlist.go, open.go and specs.go (these to what
// serves), doubts.go (what of them cannot work), facts.go (what pages ask), checks.go (what health checks ask),
// block.go (ProxyBlock), remote.go (ProxyRemote, NoProxy), forward.go
// (ProxyRequests).
package proxy
