// Package socket is the engine's door to the system: reads and writes that never wait, on descriptors
// that the runtime's poller or an event loop of our own waits for, and splice. Everything here but
// Supported is for Linux; elsewhere the engine runs on net.Conn alone.
//
//	         RawConn.Read(callback)            callback returns false: wait for the next edge
//	poller ──────────────────────────> fd ──> Read, Write, Writev, Peek, Splice: EAGAIN, never a wait
//
//	Loop ── epoll_wait ──> Fd: who waits for it?
//	           ^             ├─ a Task: a coroutine, resumed inside the loop's goroutine
//	           |             ├─ parked: its Job is begun in a Task that is free
//	           └── yield ────┘─ nobody: the edge is noted for who comes next
//
// A callback of the poller's must try to read before it first returns false: entering it forgets an
// edge that came before (internal/poll.FD.RawRead). A Loop forgets none.
//
// A Task that keeps its loop for long, or says so before (Leave), loses it to another goroutine and
// goes on beside it until it waits for a socket again. A job that is known to be long begins beside it.
// A job that panics is over, and its loop goes on (package recovery).
//
// A Conn is a socket of a loop's as crypto/tls wants one: below TLS with clients, and with members once
// they have shaken hands.
//
// Reading order: socket_linux.go, pipe_linux.go, stream_linux.go, stream_out_linux.go; loop_linux.go,
// task_linux.go, fd_linux.go, door_linux.go, crew_linux.go, guard_linux.go, conn_linux.go, file_linux.go;
// other.go.
package loop
