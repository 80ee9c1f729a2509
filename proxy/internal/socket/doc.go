// Package socket is the engine's door to the system: reads and writes that never wait, on descriptors
// that the runtime's poller waits for, and splice. Everything here but Supported is for Linux; elsewhere
// the engine runs on net.Conn alone.
//
//	         RawConn.Read(callback)            callback returns false: wait for the next edge
//	poller ──────────────────────────> fd ──> Read, Write, Writev, Peek, Splice: EAGAIN, never a wait
//
// A callback must try to read before it first returns false: entering it forgets an edge that came
// before (internal/poll.FD.RawRead).
//
// Reading order: socket_linux.go, pipe_linux.go, other.go.
package socket
