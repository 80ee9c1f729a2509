// Package transport moves the bytes of an HTTP/2 connection, a client's or a member's, and runs what serves it.
//
//	socket ──> TLS ──> Endpoint.Receive      what has come means something to http2/server, http2/client
//	socket <── TLS <── Endpoint.Take         what they have to say, in one write
//	                   Endpoint.HandleTimeouts
//
// A Loop is a job of an event loop: it runs when something has come in, when the endpoint has something to send
// (Kick), or when a time is over, and parks itself. Goroutines are for connections that no event loop watches: one reads, one
// writes. Both hold memory only while bytes are on their way.
//
// Reading order: endpoint.go, loop_linux.go, goroutines.go.
package transport
