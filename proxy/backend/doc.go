// Package backend reaches the members: it finds the Backend of a scheme, resolves, connects, keeps
// connections, and says at which point an attempt failed.
//
//	proxy ── RoundTrip ──> Table ── by scheme ──> http1/client, http2/client, ajp …
//	                                                   |  Acquire
//	                                                   v
//	                        balancer.Worker <──── pool: idle, newest on top ── none ──> resolve, dial, TLS
//	                        (attached to it,           |
//	                         so that it outlives       v
//	                         reloads)                 Conn ── Release(keep) ──> pool or closed
//
// All pools are in one account of the process (idle.go): a descriptor that is needed (room.go) takes the
// place of the connection that idled longest, anywhere, and a sweep closes what nobody will use again.
//
// Reading order: backend.go, call.go, scheme.go, pool.go, shelf.go, idle.go, room.go, conn.go, dial.go,
// address.go.
package backend
