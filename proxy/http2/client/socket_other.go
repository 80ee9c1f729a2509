//go:build !linux

package client

import (
	"net"

	"balancerd/proxy/internal/loop"
)

// socket is a connection that goroutines serve.
type socket struct{ nc net.Conn }

// start begins to serve the connection.
func (c *conn) start(*loop.Task) {
	c.socket.nc, _, _ = c.from.Socket()
	c.serveByGoroutines()
}

func (c *conn) near(*loop.Task) bool { return true }

func (c *conn) noteSent() { c.resumed = false }

func (c *conn) undelivered() bool { return false }
