// Package poison finds texts and buffers that outlive the memory which they stand in. In a build with the
// tag poison every buffer, arena, pool item and table is overwritten as it is given back, so that a text
// that was kept too long is seen at once; in any other build its functions are empty, and cost nothing.
//
//	go test -tags poison ./...
//	go build -tags poison -o balancerd.poisoned ./cmd/balancerd
//
// # Who makes texts of buffers without copying
//
// A test holds this list against the sources: a use of unsafe, a sync.Pool or a function that makes such
// texts in a file that is not here fails it. Each line: file: what, who owns it, until when.
//
//	proxy/internal/wire/class.go: view, the texts of heads, lines and trailers; the buffer that was parsed: a request's until its exchange's Reset, an answer's until its exchange's Finish
//	proxy/internal/wire/header.go: the storage of a Header, used again by the next exchange; the exchange, until Reset
//	proxy/exchange/arena.go: Arena, texts made under way; the exchange, until Reset
//	proxy/exchange/table.go: the storage of Env and Notes; the exchange, until Reset
//	proxy/exchange/rewrite.go: pieces, what a filter waits for; the body that is filtered, until its Close or its exchange's Finish
//	proxy/mod/compress/pool.go: coders, and what they have seen of an answer; the body that is packed, until its end or Close
//	proxy/mod/compress/gunzip.go: unpackers, and what came of packed bytes; the body that is unpacked, until its end or its exchange's Finish
//	proxy/upstream/state.go: states, what the proxy remembers of an exchange, and its Call; the exchange, until Finish
//	proxy/http1/server/server.go: buffers, conns, bulks, pieces, an exchange's buffers and a connection; the connection, buffers only while bytes of a request are there
//	proxy/http1/server/buffers.go: a request's head and body, an answer's head; the exchange, until its end
//	proxy/backend/serial.go: streams, a member's head and body; the exchange, until Finish
//	proxy/backend/upload.go: uploads, what is kept of the client's body; the exchange, until Finish
//	proxy/backend/serialupload.go: bulks, bytes of a long body on their way; the attempt that sends them
//	proxy/http1/client/codec.go: what a head said; the attempt, until End
//	proxy/http2/server/server.go: streams, a stream with its Exchange; until the exchange's end
//	proxy/http2/client/backend.go: streams, an attempt; the attempt, until its exchange's Finish
//	proxy/http2/frames/input.go: what was received; the connection, while frames of it are there (the Framer's are copied)
//	proxy/http2/frames/output.go: chunks, bulks: frames to be written; the connection, until TLS or the system has them. Bodies, until their exchange ends
//	proxy/http2/frames/inlet.go: what has come of a body; the stream, until it was read
//	proxy/mod/accesslog/log.go: views, the line that is being made; the step that writes it, until the log has copied it
//	proxy/log/errorlog/log.go: lines, a line of the error log that is being made; who writes it, until the log has copied it
//	proxy/mod/setenvif/list.go: scratch, what a value of the exchange came to; one pass over the rules, until its end
//	proxy/mod/rewrite/pass.go: passes, a run of rules with what it has made; the step that runs it, until its end
//	proxy/expr/expr.go: runs, the state of an evaluation; the evaluation, until its end
//	proxy/backend/headbuffer.go: largeHeads, a large head of a response; the stream, until its exchange's Finish
//	proxy/tunnel/tunnel.go: buffers, bytes on their way through a tunnel; one direction, while bytes are on their way
//	proxy/internal/tlsbuf/fields.go: the fields of a tls.Conn, which hold no texts of ours; the connection
//	proxy/internal/tlsbuf/tlsbuf.go: what TLS receives into; the connection, while it holds bytes that were not read
//	proxy/internal/loop/loop_linux.go: the events of a wait; the system, during the call
//	proxy/internal/loop/task_linux.go: waiters, a wait of a goroutine; the goroutine, until that is over
//	proxy/internal/sys/socket_linux.go: bytes that the system reads or writes; the caller, during the call
//	proxy/internal/loop/queue_linux.go: a number that the system reads; the caller, during the call
//	proxy/internal/sys/accept_linux.go: addresses that the system writes; the caller, during the call
//	proxy/internal/sys/connect_linux.go: addresses that the system reads or writes; the caller, during the call
//	proxy/internal/sys/timer_linux.go: a time that the system reads; the caller, during the call
//	balancer/store/memory/memory.go: rows of a mapped file, which hold no texts; the farm, until Rows has made the next
//	proxy/internal/poison/on.go: what is overwritten; whoever gave it back
//
// Reading order: text.go, on.go, off.go.
package poison
