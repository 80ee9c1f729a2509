package auth

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/hostname"
)

// names are the host names of clients whose names lead back to them. httpd keeps a client's name as long as its
// connection; here it holds for some seconds.
type names = hostname.Cache[netip.Addr]

func newNames() *names { return &names{Lookup: lookup, Age: 10 * time.Second, Limit: 10 * time.Second} }

// hostOf is the client's name, "" for none. The request has it from then on.
func (g *gate) hostOf(ctx context.Context, x *exchange.Exchange) string {
	name := g.names.Of(ctx, x, clientIP(x))
	if name != "" {
		x.SetClientHost(name)
	}
	return name
}

// lookup is the name of an address, if the name leads back to the address; "" when not
// (httpd: core.c ap_get_useragent_host with REMOTE_DOUBLE_REV).
func lookup(ctx context.Context, ip netip.Addr) string {
	name := hostname.First(net.DefaultResolver.LookupAddr(ctx, ip.String()))
	if name != "" && !leadsTo(ctx, name, ip) {
		name = ""
	}
	return name
}

// leadsTo reports whether one of a name's addresses is ip.
func leadsTo(ctx context.Context, name string, ip netip.Addr) bool {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if a.Unmap() == ip {
			return true
		}
	}
	return false
}

// inDomain reports whether a host is the domain or in it, whole labels only (httpd: mod_authz_host.c in_domain).
func inDomain(domain, host string) bool {
	if len(host) < len(domain) || !strings.EqualFold(host[len(host)-len(domain):], domain) {
		return false
	}
	return len(host) == len(domain) || domain != "" && domain[0] == '.' || host[len(host)-len(domain)-1] == '.'
}
