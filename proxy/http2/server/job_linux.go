package server

import (
	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/recovery"
)

// Client is a connection as an event loop serves it, after its handshake.
type Client struct {
	transport.Socket
	Info     *exchange.Conn // stays as it is meanwhile
	Reporter Reporter
	First    *First           // see Serve
	End      func(*loop.Task) // ends it, when it is over
}

// Job is what serves a connection from its preface, or its first stream, to its end in an event loop: it is run once, and
// parks itself.
func (s *Server) Job(client Client) loop.Job {
	c := s.open(client.Info, client.Reporter, client.First)
	l := transport.NewLoop(c, client.Socket, func(t *loop.Task) {
		s.close(c)
		client.End(t)
	})
	c.transport = l
	return l
}

// begin begins a stream's exchange, as a task of the loop that serves the connection.
func begin(by *loop.Task, st *stream) {
	if by == nil {
		recovery.Go("serving a stream of HTTP/2", func() { st.Run(nil) })
		return
	}
	by.Spawn(st)
}
