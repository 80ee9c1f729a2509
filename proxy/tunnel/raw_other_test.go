//go:build !linux

package tunnel

import (
	"net"

	"balancerd/proxy/exchange"
)

func rawStream(c *net.TCPConn) exchange.Stream { return stream{c} }
