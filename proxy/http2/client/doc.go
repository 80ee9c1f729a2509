// Package client speaks HTTP/2 to members, for the schemes h2 and h2c: a backend.Protocol with many streams on a
// connection, by an engine of its own on the event loops (RFC 9113). Frames are read by x/net's Framer, header blocks by
// its hpack.
//
//	backend.Exchange ── Open ──> clients of a worker (clients.go): a connection with a place for one more stream
//	        |                         |
//	        | Start, Wait, Feed       v             head.go, body.go <── received.go <── frames
//	        └───────────────> stream (stream.go) <────────── conn (conn.go) <── transport <── the member
//	                             |   output.go ── frames ───────^
//	                             v
//	                         x.Res.Body        upload.go: the client's body
//
// A connection is served as a client's is: by a job of an event loop, or by goroutines where no loop watches it. A
// stream costs neither a goroutine nor a timer: who serves its exchange waits for the member, and for the client, by one
// loop.Event. An answer is passed on while the request still comes in if the client's body can tell that more of it is
// there (exchange.Announcer); any other one is read between waits for the member, up to the answer's head.
//
// What a member can make us hold or do is bounded:
//
//	streams                 100 a connection, or fewer if it says so
//	answers                 128 KiB a stream until they are wanted; beyond that the stream, or the connection, ends
//	heads                   256 KiB, counted while they are decoded; what is longer is read and dropped, twice as much ends
//	                        the connection
//	interim answers         ten a stream
//	frames to be answered   10000 SETTINGS and PING may wait to be written, then the connection ends
//	frames that bring       10000 in a row within 10 s (PING, SETTINGS, WINDOW_UPDATE, DATA and CONTINUATION without
//	nothing                 bytes, what is unknown, what is of streams that are over)
//	pushes, frames of       the connection ends
//	streams never begun
//	silence                 timeout=, then the stream ends; a connection on which nothing came meanwhile carries no
//	                        further stream until a PING was answered, for as long as timeout= again
//
// What the member has not seen is sent again on another connection: streams beyond those of a GOAWAY, REFUSED_STREAM,
// and those of a connection that was dead before.
//
// Reading order: backend.go, clients.go, conn.go, socket_linux.go, received.go, head.go, stream.go, output.go, upload.go,
// body.go, idle.go.
package client
