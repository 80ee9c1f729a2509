package backend

import (
	"context"
	"net"
	"net/netip"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/tunnel"
)

// OpenTunnel connects to the first of a host's addresses that accepts it, or to call's Remote, for a client's CONNECT.
// A remote's answer is the client's to read: the tunnel begins with it. The worker's settings are those of the generic one.
func OpenTunnel(ctx context.Context, x *exchange.Exchange, call *Call, w *balancer.Worker, host string, port uint16, addrs []netip.Addr) (exchange.Tunnel, error) {
	d := newDialer(w.Settings(), call)
	var nc net.Conn
	var err error
	if call.Remote != nil {
		to := target{scheme: "http", host: host, port: port} // what is in the tunnel is the client's matter
		if nc, err = call.Remote.connect(ctx, d, x, call, to); err == nil {
			nc.SetDeadline(time.Now().Add(d.timeout))
			if err = call.Remote.ask(nc, x, to); err != nil {
				nc.Close()
			}
			nc.SetDeadline(time.Time{})
		}
	} else {
		for _, a := range addrs {
			var s socket
			if s, err = d.reach(ctx, endpoint{addr: netip.AddrPortFrom(a, port)}); err == nil {
				nc = s.nc
				break
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return &connected{x: x, nc: nc.(exchange.Stream), o: tunnel.Options{Idle: call.Idle, Whole: !call.HalfClose}}, nil
}

// connected is the far side of a CONNECT.
type connected struct {
	x  *exchange.Exchange
	nc exchange.Stream
	o  tunnel.Options
}

// Join is exchange.Tunnel's.
func (c *connected) Join(client exchange.Stream) {
	if p, ok := client.(exchange.Preread); ok {
		c.o.FromClient = p.TakePreread()
	}
	if w, ok := client.(exchange.Cuttable); ok {
		c.o.Cut = w.WhenCut
	}
	var ending tunnel.Ending
	c.o.Ending = &ending
	log := tunnelLog{c.x, connectProtocol}
	log.begins(c.o.Idle)
	tunnel.Join(client, c.nc, c.o)
	log.ended(&ending)
	c.nc.Close()
}

// Close gives the far side up.
func (c *connected) Close() error { return c.nc.Close() }

// Local reports whether an address is this machine's.
func Local(a netip.Addr) bool {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, i := range list {
		if n, ok := i.(*net.IPNet); ok {
			if own, ok := netip.AddrFromSlice(n.IP); ok && own.Unmap() == a.Unmap() {
				return true
			}
		}
	}
	return false
}
