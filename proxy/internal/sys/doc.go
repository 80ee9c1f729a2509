// Package sys is the system calls on sockets and pipes that the standard library has not, or has only with
// a wait: one non-blocking call each, on a descriptor, with its errno. Everything here is for Linux; other
// systems use net.Conn alone.
//
//	loop, http1, backend, tunnel
//	      │ descriptor
//	      v
//	Accept, Connect, Connected            EAGAIN, EINPROGRESS in place of a wait
//	Read, Write, Writev, Peek             EAGAIN in place of a wait
//	Pipe.Fill, Pipe.Drain                 splice between two sockets
//	NewFileConn                           a descriptor as a net.Conn of the runtime's poller
//	Timer                                 a timer that wakes nobody while it is set and stopped
//
// Reading order: socket_linux.go, accept_linux.go, connect_linux.go, pipe_linux.go, fileconn_linux.go,
// timer_linux.go.
package sys
