// Package http2 holds the two halves of HTTP/2, both engines of their own, and what they share. It has the tests of one
// against the other, and no code itself.
//
//	http1/server ── h2 by ALPN, the preface or Upgrade ──> http2/server: conns and streams on event loops
//	                                                          |
//	                                                          v
//	       App.Serve ──> site, proxy ──> Backend.RoundTrip ──> http2/client ──> members
//
//	       frames: what frames are made of; transport: what moves them, and runs who serves a connection
//
// Neither half imports the other.
//
// Reading order: frames/doc.go, transport/doc.go, server/doc.go, client/doc.go.
package http2
