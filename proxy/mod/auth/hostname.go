package auth

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"balancerd/proxy/exchange"
)

// names looks host names up, and remembers for a moment what it found: httpd keeps a client's name as
// long as its connection. Safe for use by many.
type names struct {
	resolver *net.Resolver

	mu    sync.Mutex
	known map[netip.Addr]hostname // bounded by maxNames
}

type hostname struct {
	name  string // "" when it has none, or none that leads back
	until time.Time
}

const (
	maxNames   = 4096
	nameAge    = 10 * time.Second
	lookupTime = 10 * time.Second
)

func newNames() *names {
	return &names{resolver: net.DefaultResolver, known: map[netip.Addr]hostname{}}
}

// of is the name of an address, if the name leads back to the address; "" when not
// (httpd: core.c ap_get_useragent_host with REMOTE_DOUBLE_REV).
func (n *names) of(ctx context.Context, x *exchange.Exchange, ip netip.Addr) string {
	n.mu.Lock()
	h, ok := n.known[ip]
	n.mu.Unlock()
	if ok && time.Now().Before(h.until) {
		return h.name
	}
	x.Block()
	h = hostname{n.lookup(ctx, ip), time.Now().Add(nameAge)}
	n.mu.Lock()
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	n.known[ip] = h
	n.mu.Unlock()
	return h.name
}

func (n *names) lookup(ctx context.Context, ip netip.Addr) string {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, err := n.resolver.LookupAddr(ctx, ip.String())
	if err != nil || len(found) == 0 {
		return ""
	}
	name := strings.ToLower(strings.TrimSuffix(found[0], "."))
	if !n.leadsTo(ctx, name, ip) {
		return ""
	}
	return name
}

// leadsTo reports whether one of a name's addresses is ip.
func (n *names) leadsTo(ctx context.Context, name string, ip netip.Addr) bool {
	addrs, err := n.resolver.LookupNetIP(ctx, "ip", name)
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
