// Package http1 holds the two halves of HTTP/1.1 and the tests of one against the other; it has no code of its own.
//
//	clients ──> http1/server ──> App.Serve ──> site, proxy ──> Backend.RoundTrip ──> http1/client ──> members
//	   <──────── send <────────────── x.Res.Body, a Source that is pulled <───────────── answer
//
// Neither half imports the other. What one half's type can do beyond exchange.Body, Source and Stream it says by
// an interface of proxy/exchange/capability.go. Both parse with package wire.
//
// Reading order: server/doc.go, client/doc.go.
package http1
