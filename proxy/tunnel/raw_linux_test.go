package tunnel

import (
	"net"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// plain is a Stream that shows its socket.
type plain struct {
	stream
	io loop.Stream
}

func (p plain) Socket() loop.Stream { return p.io }

func rawStream(c *net.TCPConn) exchange.Stream {
	s := &loop.PollStream{}
	s.Open(c, 0)
	return plain{stream{c}, s}
}
