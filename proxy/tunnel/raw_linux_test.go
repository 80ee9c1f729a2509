package tunnel

import (
	"net"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/socket"
)

// plain is a Stream that shows its socket.
type plain struct {
	stream
	io *socket.Stream
}

func (p plain) Socket() *socket.Stream { return p.io }

func rawStream(c *net.TCPConn) exchange.Stream {
	s := &socket.Stream{}
	s.Open(c)
	return plain{stream{c}, s}
}
