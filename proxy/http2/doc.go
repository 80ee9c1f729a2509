// Package http2 holds the two halves of HTTP/2, thin over golang.org/x/net/http2, and the tests of one against the
// other; it has no code of its own.
//
//	http1/server ── h2 by ALPN, or the preface ──> http2/server: x/net's ServeConn, a goroutine a stream
//	                                                  |
//	                                                  v
//	       App.Serve ──> site, proxy ──> Backend.RoundTrip ──> http2/client ──> members
//
// Neither half imports the other.
//
// Reading order: server/doc.go, client/doc.go.
package http2
