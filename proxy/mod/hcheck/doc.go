// Package hcheck is httpd's mod_proxy_hcheck: members of balancers are asked, beside the traffic, whether they are
// well, and taken out and let in again by what they say.
//
//	ProxyHCTemplate, ProxyHCExpr ──> settings.go ──> mod/proxy: what hc* parameters may name
//	                                     |
//	site.OnCommit, Farm.OnEdit ──> checker.go ── one goroutine ── schedule.go: who is due, and when the next one is
//	                                     |
//	                                     └── a goroutine for each check that is under way: check.go
//	                                              backend.Knock (TCP, CPING), backend.Probe (OPTIONS, HEAD, GET)
//	                                              condition.go: ProxyHCExpr on the answer
//	                                              balancer.Worker.HealthResult: passes and fails are counted
//
// A member has one check at a time, which ends in its own time: nobody waits for it. The first checks of a
// configuration are spread, and so all later ones are.
//
// Reading order: settings.go, module.go, schedule.go, checker.go, check.go, request.go,
// condition.go, ping.go.
package hcheck
