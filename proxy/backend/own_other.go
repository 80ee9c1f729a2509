//go:build !linux

package backend

import (
	"context"
	"net"
	"net/netip"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/tunnel"
)

// own is nothing here.
type own = noSocket

type noSocket struct{}

// N is never called.
func (noSocket) N() uintptr { return 0 }

func taskOf(*exchange.Exchange) *loop.Task { return nil }

// below is nothing here.
type below = struct{}

// records is nothing here.
type records = struct{}

func under(_ *exchange.Exchange, plain net.Conn, _ *Call, _ string) net.Conn { return plain }

func (p *pool) adopt(*exchange.Exchange, net.Conn, net.Conn, net.Conn, netip.Addr, *Call, string) *Conn {
	return nil
}

func (p *pool) own(own, netip.Addr) *Conn { return nil }

// open connects once.
func (d *dialer) open(ctx context.Context, to endpoint) (socket, error) { return d.dialNet(ctx, to) }

func polled(poller, int64) loop.Stream { return nil }

func (c *Conn) detachTask() {}

func (c *Conn) undelivered() bool { return false }

func (c *Conn) look(x *exchange.Exchange) loop.Look {
	if c.mayHaveChanged(x) {
		return c.io.Look()
	}
	return loop.Quiet
}

func (c *Conn) tryNet([]byte) (int, error) { return 0, nil }

func (c *Conn) readWithin(time.Duration) bool { return false }

func (c *Conn) writeWithin(time.Duration) bool { return false }

func (c *Conn) serve(*loop.Task) {}

func (c *Conn) suits(*loop.Task) bool { return true }

func (c *Conn) near(*loop.Task) bool { return true }

func (c *Conn) pendingEvent() (watched, pending bool) { return false, false }

func (c *Conn) watched() bool { return false }

func (c *Conn) joinInLoop(exchange.Stream, tunnel.Options) bool { return false }

func (c *Conn) cut() bool { return false }

func (c *Conn) resetOwn() bool { return false }

func (c *Conn) shut() {}

func (c *Conn) disown() {}

// Socket is the connection for who reads and writes it itself from now on, until Release.
func (c *Conn) Socket() (nc net.Conn, base, fd own) {
	c.net.SetDeadline(time.Time{})
	return c.net, base, fd
}
