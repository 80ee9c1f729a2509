// Package exchange is the currency of the data plane: one request and its answer under way, as every
// package from the connection to the access log sees and edits it.
//
//	client's bytes                                        member's bytes
//	     |                                                     ^
//	 http1/server, http2/server                             a backend
//	     |   makes                                    reads    |   fills
//	     v                                                     |
//	Exchange{ Req --------- modules edit ---------> Out -------+
//	          Res <-- Reply steps edit <-- Body, Tunnel <------+
//	          Env, Notes, Arena, State, Prev }
//
// Texts are views into the connection's buffers or the exchange's Arena: they hold until Reset, and
// who keeps one longer clones it. Server and Local are what a virtual host and the sections in force
// say; immutable.
//
// Reading order: exchange.go, request.go, client.go, response.go, tunnel.go, filter.go, rewrite.go, pull.go, sections.go (a file as a body), server.go, tls.go,
// protocol.go, capability.go, capability_linux.go, table.go, arena.go, status.go, log.go, observe.go, replay.go, errno.go, escape.go, list.go; std.go is the bridge to net/http.
package exchange
