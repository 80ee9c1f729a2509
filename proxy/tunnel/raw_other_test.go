//go:build !linux

package tunnel

import (
	"net"
	"testing"

	"balancerd/proxy/exchange"
)

func rawStream(c *net.TCPConn) exchange.Stream { return stream{c} }

// inLoops has no event loops here.
func inLoops(t *testing.T, front, back *net.TCPConn, o Options) Moved {
	return by(rawStream)(t, front, back, o)
}
