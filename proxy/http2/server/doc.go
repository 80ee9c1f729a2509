// Package server is the HTTP/2 server, which clients talk to. Frames are read by x/net's Framer, header blocks by its
// hpack; what they mean is decided here (RFC 9113).
//
//	bytes ──> frames ──> conn: windows, streams ──> stream: a task (or goroutine) an exchange
//	          (received.go)      |       ^                 |  head.go, request.go ──> App.Serve
//	                             |       |                 |
//	   package transport: a job  |       | lock: its turn  |  body.go <── DATA that has come
//	   of an event loop, or      |       | and windows     v
//	   goroutines                |       └────────────── send.go: head, DATA, trailer
//	                             v                         |
//	bytes <── one write <── output: frames of many streams <─┘  (output.go, priority.go)
//
// A connection is served inside an event loop, as HTTP/1's are: its job runs when something has come in, or when
// streams have something to send, and parks itself; each stream's exchange is a task of that loop. Streams append
// frames to the connection's output, and the loop has it written once the tasks at work have had their say. Nobody
// holds the connection's mutex over a wait. Connections of other systems have goroutines: the same code with another
// transport. A WebSocket is two tasks where the loop serves its member, too (websocket_linux.go).
//
// Texts of a request are hpack's own strings, which nobody writes to again, or the exchange's Arena's.
//
// What a client can make us hold or do is bounded:
//
//	streams at work         H2MaxSessionStreams (100); four times as many may wait, then GOAWAY
//	a request's fields      LimitRequestLine, LimitRequestFieldSize, LimitRequestFields; 256 KiB together,
//	                        counted while they are decoded, 32 bytes more for each
//	header blocks           what goes beyond that is read and dropped, twice as much ends the connection; Timeout for
//	                        the rest of one that has begun
//	HPACK tables            4 KiB each way
//	bodies                  H2WindowSize a stream, 1 MiB a connection, until they are wanted
//	answers                 64 KiB a connection that wait to be written, and 64 KiB that are being written; a client that
//	                        takes nothing for H2StreamTimeout loses the stream, one whose socket takes nothing for
//	                        Timeout the connection
//	frames to be answered   10000 SETTINGS, PING and RST_STREAM may wait to be written, then the connection ends
//	frames that bring       10000 in a row within 10 s (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, DATA and CONTINUATION
//	nothing                 without bytes, what is unknown), while less than 512 bytes of answers are taken
//	broken streams          100 in a row that brought no whole answer, or H2MaxStreamErrors that were against
//	                        the protocol: the connection ends
//	the preface, settings   10 s; Timeout for the acknowledgement of ours
//	bodies nobody wants     2 s are waited for their end before the answer, then they are reset behind it
//	idleness                KeepAliveTimeout, then GOAWAY; our end waits 1 s for the client's
//	memory while idle       about 2 KiB after one request, 6 KiB after many, beside what HTTP/1 over TLS holds
//
// Reading order: server.go, conn.go, job_linux.go, received.go, head.go, request.go, stream.go, exchange.go, context.go, body.go,
// send.go, output.go, priority.go, upgrade.go, websocket.go; what moves the bytes is package transport, what makes frames package frames.
package server
