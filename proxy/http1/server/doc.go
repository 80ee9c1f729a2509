// Package server is the HTTP/1.1 server, which clients talk to.
//
//	    accept_linux.go      conn.go                      package site
//	accept4 ─────> conn: read ──> head ──> App.Serve ───────────> the handler's answer
//	                 ^              |                                |
//	                 |              v                                |
//	              parked <──────── send <── x.Res.Body (a Source) <──+
//
// On Linux a connection is served inside an event loop (package loop): its waits, and those for its
// member, are the loop's, and between requests it is no more than a parked socket, with the state of its
// TLS if it has that. A handshake is begun beside the loops, since it computes for long. One that agrees on HTTP/2
// has the other protocol's job serve the connection there (secure_linux.go). So has one in clear text that begins with
// HTTP/2's preface, or asks for it by Upgrade (switch.go). Connections of other systems have goroutines.
//
// Reading order: app.go, server.go, conn.go, request.go, body.go, exchange.go, front.go, head.go, send.go, upgrade.go (what
// follows a 101); registry.go (who is connected), readtimeout.go, buffers.go; transport.go with transport_linux.go,
// listener_linux.go, accept_linux.go, conn_linux.go, splice_linux.go (what is done in an event loop);
// announce.go (the PROXY protocol in front of it all).
package server
