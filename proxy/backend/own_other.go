//go:build !linux

package backend

import (
	"net"
	"net/netip"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/socket"
)

// own is nothing here.
type own = struct{}

func taskOf(*exchange.Exchange) *socket.Task { return nil }

func (p *pool) adopt(*exchange.Exchange, net.Conn, net.Conn, netip.Addr) *Conn { return nil }

func (c *Conn) serve(*socket.Task) {}

func (c *Conn) suits(*socket.Task) bool { return true }

func (c *Conn) near(*socket.Task) bool { return true }

func (c *Conn) told() (known, stirred bool) { return false, false }

func (c *Conn) cut() {}

func (c *Conn) shut() {}

func (c *Conn) disown() {}
