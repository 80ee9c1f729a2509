// Package server is HTTP/2's front, which clients talk to.
//
//	http1/server ── h2 by ALPN, or the preface ──> conn: x/net's ServeConn
//	                                                 |  a goroutine a stream
//	                                                 v
//	       a head as HTTP/1 would have it ──> wire.ParseRequest ──> App.Serve ──> send
//	       (request.go)                      the same rules                      (send.go)
//
// What a client can make us hold or do is bounded:
//
//	streams at work         H2MaxSessionStreams (100); four times as many may wait, then GOAWAY
//	a request's fields      LimitRequestLine, LimitRequestFieldSize, LimitRequestFields; 256 KiB together,
//	                        counted while they are decoded, 32 bytes more for each
//	header blocks           what goes beyond that is read and dropped, twice as much ends the connection
//	HPACK tables            4 KiB each way
//	bodies                  H2WindowSize a stream, 1 MiB a connection, until they are wanted
//	answers                 16 KiB a stream; a client that takes nothing for H2StreamTimeout loses the stream,
//	                        one whose socket takes nothing for Timeout the connection
//	frames to be answered   10000 SETTINGS, PING and RST_STREAM may wait to be written, then the connection ends
//	broken streams          100 in a row that brought no whole answer, or H2MaxStreamErrors that were against
//	                        the protocol: the connection ends
//	idleness                KeepAliveTimeout, then GOAWAY
//
// Reading order: server.go, conn.go, stream.go, request.go, body.go, send.go, upgrade.go.
package server
