// Package http1 is the HTTP/1.1 engine: Server is the front that clients talk to, Backend speaks to
// members.
//
//	    accept_linux.go      conn.go                      site                     back.go
//	accept4 ─────> conn: read ──> head ──> App.Serve ───────────> Backend.RoundTrip
//	                 ^              |          |                     |      write, wait, head
//	                 |              v          v                     v
//	              parked <──────── send <── x.Res.Body <──────────── answer (a Source)
//
// On Linux a connection is served inside an event loop (package loop): its waits, and those for its
// member, are the loop's, and between requests it is no more than a parked socket, with the state of its
// TLS if it has that. A handshake is begun beside the loops, since it computes for long. Connections of
// HTTP/2, and all of other systems, have goroutines.
//
// Reading order: app.go, server.go, conn.go, request.go, send.go; then back.go, upload.go, answer.go.
package http1
