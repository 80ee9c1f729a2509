package upstream

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// BlockedHost is one word of ProxyBlock: a part of a host's name, "*", or a host whose addresses are
// blocked too.
type BlockedHost struct {
	Name  string
	Addrs []netip.Addr
}

// AddressesOf is a host's addresses; none when it does not resolve until ctx ends.
func AddressesOf(ctx context.Context, host string) []netip.Addr {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}
	}
	if strings.HasPrefix(host, "*") {
		return nil
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for i := range list {
		list[i] = list[i].Unmap()
	}
	return list
}

// blocked refuses a host that ProxyBlock names, once it is known where it is; by another proxy that is not asked (httpd:
// proxy_util.c ap_proxy_determine_connection, ap_proxy_checkproxyblock2).
func (h *handler) blocked(ctx context.Context, p *proxyState, call *backend.Call) error {
	if len(h.upstreams.Settings.Blocked) == 0 {
		return nil
	}
	host := p.host
	if p.balancer != nil {
		host = p.worker.Address().Host
	}
	p.x.Block()
	addrs, err := backend.Addresses(ctx, p.worker, call)
	if err != nil {
		return err
	}
	return h.named(p.x, host, addrs)
}

// named refuses a host that ProxyBlock names, by its name or one of its addresses.
func (h *handler) named(x *exchange.Exchange, host string, addrs []netip.Addr) error {
	for _, b := range h.upstreams.Settings.Blocked {
		if strings.Contains(host, b.Name) || strings.HasPrefix(b.Name, "*") {
			x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH00916: connect to remote machine ", host, " blocked: name ", b.Name, " matched"))
			return proxyError(x, 403, nil, "Connect to remote machine blocked")
		}
		for _, a := range b.Addrs {
			if slices.Contains(addrs, a) {
				x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH00917: connect to remote machine ", host, " blocked: IP ", a.String(), " matched"))
				return proxyError(x, 403, nil, "Connect to remote machine blocked")
			}
		}
	}
	return nil
}
