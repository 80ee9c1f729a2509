package backend

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// Announcement is the PROXY header with which the connections of a call begin (proxyprotocol=), "" for none. It names
// one client: whose connection begins with one carries no request whose own would be another. The text lives as long as
// the exchange.
//
// It says what HAProxy's send-proxy does, and nginx's proxy_protocol: the client that x has come to be of, which may be one that
// a proxy in front named, and the address at which that reached us; a health check speaks for ourselves. Towards
// another proxy (ProxyRemote), which is no member, it goes in the tunnel alone.
func Announcement(w *balancer.Worker, x *exchange.Exchange, call *Call) string {
	set := w.Settings()
	if set.ProxyProtocol == balancer.ProxyProtocolOff {
		return ""
	}
	return announcement(set, x, call, targetOf(w, call))
}

func announcement(set *balancer.WorkerSettings, x *exchange.Exchange, call *Call, to target) string {
	if set.ProxyProtocol == balancer.ProxyProtocolOff || to.remote != nil && !Secure(to.scheme) {
		return ""
	}
	var client, local netip.AddrPort
	if call.Check == nil && x.Conn != nil {
		client, local = clientOf(x), x.Conn.Local
	}
	version := 1
	if set.ProxyProtocol == balancer.ProxyProtocolV2 {
		version = 2
	}
	return x.Arena.Keep(wire.AppendProxyHeader(x.Arena.Scratch(wire.LongestProxyHeader), version, client, local))
}

// clientOf is the client's address; port 0: it is not known. Invalid: it has none.
func clientOf(x *exchange.Exchange) netip.AddrPort {
	if !x.Relayed {
		return x.Conn.Remote
	}
	a, err := netip.ParseAddr(x.ClientIP)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, x.Port)
}

// announce writes the PROXY header of a connection, if there is any, in front of TLS.
func announce(nc net.Conn, header string, timeout time.Duration) error {
	if header == "" {
		return nil
	}
	nc.SetWriteDeadline(time.Now().Add(timeout))
	_, err := nc.Write([]byte(header))
	nc.SetWriteDeadline(time.Time{})
	return err
}

// announce writes its header.
func (c *Conn) announce(x *exchange.Exchange, call *Call) error {
	c.serve(taskOf(x))
	c.timeout = timeoutOf(c.pool.worker.Settings(), call)
	_, err := c.Write([]byte(c.header))
	return err
}

// unannounced is the failure of a connection that took no header: nothing of a request was on it, so it counts as one that
// was refused.
func unannounced(err error, to target) *Failure {
	return &Failure{Kind: Refused, Err: err, Host: to.host, Port: to.port, Timeout: IsTimeout(err)}
}

// announced is what a connection began with.
type announced struct {
	header string        // in memory of its own: it lives as long as the connection
	kept   time.Duration // with a header: how long it may idle, as the client's connection may
}

// announcedBy is what connections of an exchange begin with.
func announcedBy(x *exchange.Exchange, header string) (a announced) {
	if header == "" {
		return a
	}
	a.header = strings.Clone(header)
	if x.Server.KeepAlive {
		a.kept = x.Server.KeepAliveTimeout
	}
	return a
}

// IdleLimit is how long the connection may idle where others may for as long as limit says: the client that it is for
// is not heard of again on a connection of its own that idled longer than KeepAliveTimeout.
func (a *announced) IdleLimit(limit time.Duration) time.Duration {
	if a.header == "" {
		return limit
	}
	return min(limit, a.kept)
}
