//go:build !linux

package server

import (
	"net"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// fdStream is nothing here.
type fdStream = struct{}

// inLoop is empty here.
type inLoop struct{}

func (c *conn) served() *loop.Task { return nil }

func (c *conn) staysFor(exchange.Tunnel) bool { return false }

func (c *conn) leave() {}

func (c *conn) leaveAsConn() net.Conn { return c.transport.(*netTransport).nc }

func (c *conn) plug() {}

func (c *conn) unplug() {}
