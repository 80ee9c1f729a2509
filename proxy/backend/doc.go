// Package backend reaches the members: it finds a scheme's codec, resolves, connects, keeps
// connections, and says at which point an attempt failed.
//
//	proxy ── RoundTrip ──> Table ── by scheme ──> http1.Backend, ajp, fcgi …
//	                                                   |  Acquire
//	                                                   v
//	                        balancer.Worker <──── pool: idle, newest on top ── none ──> resolve, dial, TLS
//	                        (attached to it,           |
//	                         so that it outlives       v
//	                         reloads)                 Conn ── Release(keep) ──> pool or closed
//
// Reading order: backend.go, call.go, scheme.go, pool.go, conn.go, dial.go, address.go.
package backend
