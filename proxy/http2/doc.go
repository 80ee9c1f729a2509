// Package http2 holds the two halves of HTTP/2, which share no code: the server's is an engine of its own, the client's
// is thin over golang.org/x/net/http2's Transport. It has the tests of one against the other, and no code itself.
//
//	http1/server ── h2 by ALPN, the preface or Upgrade ──> http2/server: conns and streams on event loops
//	                                                          |
//	                                                          v
//	       App.Serve ──> site, proxy ──> Backend.RoundTrip ──> http2/client ──> members
//
// Neither half imports the other.
//
// Reading order: server/doc.go, client/doc.go.
package http2
