// Package heartbeat is httpd's mod_heartbeat, mod_heartmonitor and mod_lbmethod_heartbeat: servers say each second how many idle
// threads they have, a balancer hears it, and the lbmethod "heartbeat" picks by that. The method itself is
// balancer/method.Heartbeat.
//
//	a member:    HeartbeatAddress ──> sender.go ── "v=1&ready=75&busy=0" each WatchdogInterval ──.
//	                                                                                            v
//	a balancer:  HeartbeatListen ──> listener.go <────────── UDP, to a group or to one address ──'
//	             SetHandler heartbeat ──> handler.go <── POST, the same text
//	                        | both: report.go
//	                        v
//	             method.Beats (HeartbeatMaxServers) ─── or, with 0, HeartbeatStorage: storage.go, a file
//	                        '──────────────── method.Heartbeat (method.go) ────────────────'
//
// Reading order: method.go, monitor.go, report.go, listener.go, handler.go, storage.go, sender.go, words.go.
package heartbeat
