package proxy

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// blockedHost is one word of ProxyBlock: a part of a host's name, "*", or a host whose addresses are
// blocked too.
type blockedHost struct {
	name  string
	addrs []netip.Addr
}

// lookupAtLoad bounds the time that an unknown word of ProxyBlock may cost a load.
const lookupAtLoad = 3 * time.Second

func setBlock(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	word := a.Words[0]
	if slices.ContainsFunc(c.blocked, func(b blockedHost) bool { return strings.EqualFold(b.name, word) }) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupAtLoad)
	defer cancel()
	c.blocked = append(c.blocked, blockedHost{name: word, addrs: addressesOf(ctx, word)})
	return nil
}

// addressesOf is a host's addresses; none when it does not resolve.
func addressesOf(ctx context.Context, host string) []netip.Addr {
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

// blocked refuses a worker that ProxyBlock names (httpd: proxy_util.c ap_proxy_checkproxyblock2).
func (h *handler) blocked(ctx context.Context, f *flight) error {
	list := h.fleet.set.blocked
	if len(list) == 0 {
		return nil
	}
	x, host := f.x, f.host
	if f.balancer != nil {
		host = f.worker.Address().Host
	}
	x.Block()
	addrs := addressesOf(ctx, host)
	for _, b := range list {
		if strings.Contains(host, b.name) || strings.HasPrefix(b.name, "*") {
			x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH00916: connect to remote machine ", host, " blocked: name ", b.name, " matched"))
			return proxyError(x, 403, nil, "Connect to remote machine blocked")
		}
		for _, a := range b.addrs {
			if slices.Contains(addrs, a) {
				x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH00917: connect to remote machine ", host, " blocked: IP ", a.String(), " matched"))
				return proxyError(x, 403, nil, "Connect to remote machine blocked")
			}
		}
	}
	return nil
}
