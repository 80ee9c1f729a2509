package upstream

import (
	"context"
	"net/netip"
	"strings"

	"balancerd/apacheconf/pattern"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// Remotes is which requests go to their members by another proxy (ProxyRemote, ProxyRemoteMatch, NoProxy). Immutable.
type Remotes struct {
	List   []RemoteFor // the first that matches decides; the main server's come first
	Direct []DirectHost
}

// RemoteFor is one ProxyRemote line.
type RemoteFor struct {
	Match   string           // "*", a scheme, or the beginning of a URL; in any case
	Pattern *pattern.Pattern // of ProxyRemoteMatch, instead
	Remote  *backend.Remote
}

// DirectHost is one word of NoProxy: one field of these is set.
type DirectHost struct {
	Net    netip.Prefix // addresses
	Domain string       // ".example.com": hosts below it, without a dot at the end; EveryHost
	Name   string       // a host that there is
	Part   string       // a part of the host's name
}

// EveryHost is the Domain that all hosts are below: NoProxy with nothing but dots.
const EveryHost = "."

// route has the attempt take the way that is meant for it (httpd: mod_proxy.c proxy_handler). Only HTTP goes by another
// proxy.
func (r *Remotes) route(ctx context.Context, p *proxyState, call *backend.Call) {
	call.Remote = nil
	scheme, host, port := p.scheme, p.host, p.port
	if p.balancer != nil {
		a := p.worker.Address()
		scheme, host, port = a.Scheme, a.Host, a.Port
	}
	x, word := p.x, scheme
	if p.balancer != nil {
		word = "balancer"
	}
	if protocolOf(scheme) != &httpProtocol || call.Socket != "" || p.balancer != nil && p.worker.Address().Socket != "" {
		return
	}
	url := x.Arena.Join(siteOf(scheme, host, port), x.Out.Target)
	to := r.Find(x, word, url)
	addresses := func() []netip.Addr {
		x.Block()
		list, _ := backend.Addresses(ctx, p.worker, call) // a name that nobody knows is in no net
		return list
	}
	if to == nil || r.GoesDirect(host, addresses) {
		return
	}
	call.Remote = to
	if scheme == "https" || scheme == "wss" {
		return
	}
	x.Out.Target = x.Arena.Join("http://", url[len(scheme)+len("://"):])
	if to.Authorization != "" {
		x.Out.Header.Set("Proxy-Authorization", to.Authorization)
	}
}

// Find is the remote for a URL in absolute form; nil for none. scheme is its scheme, "balancer" for that of a balancer's member.
func (r *Remotes) Find(x *exchange.Exchange, scheme, url string) *backend.Remote {
	for i := range r.List {
		if r.List[i].covers(x, scheme, url) {
			return r.List[i].Remote
		}
	}
	return nil
}

func (r *RemoteFor) covers(x *exchange.Exchange, scheme, url string) bool {
	switch {
	case r.Pattern != nil:
		ok, err := r.Pattern.Match(url)
		if err != nil {
			x.GiveUp("proxy", "ProxyRemoteMatch "+r.Pattern.String(), err)
		}
		return ok
	case r.Match == "*", exchange.EqualFold(r.Match, scheme):
		return true
	}
	return strings.Contains(r.Match, ":") && len(url) >= len(r.Match) && exchange.EqualFold(url[:len(r.Match)], r.Match)
}

// GoesDirect reports whether NoProxy names a host. Its addresses are asked for if NoProxy names some.
func (r *Remotes) GoesDirect(host string, addresses func() []netip.Addr) bool {
	var addrs []netip.Addr
	looked, bare := false, strings.TrimRight(host, ".")
	for i := range r.Direct {
		d := &r.Direct[i]
		switch {
		case d.Net.IsValid():
			if !looked {
				addrs, looked = addresses(), true
			}
			for _, a := range addrs {
				if d.Net.Contains(a) {
					return true
				}
			}
		case d.Domain != "":
			if d.Domain == EveryHost && bare != "" || len(bare) > len(d.Domain) && exchange.EqualFold(bare[len(bare)-len(d.Domain):], d.Domain) {
				return true
			}
		case d.Name != "":
			if exchange.EqualFold(bare, d.Name) {
				return true
			}
		case strings.Contains(host, d.Part):
			return true
		}
	}
	return false
}
