package upstream

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Forward is a server that is a forward proxy as well (ProxyRequests On). Immutable.
type Forward struct {
	Connects bool             // CONNECT is understood (mod_proxy_connect)
	Ports    []PortRange      // that CONNECT may ask for
	Own      []netip.AddrPort // where this server listens: CONNECT leads nobody there
}

// PortRange is ports from Low to High.
type PortRange struct{ Low, High uint16 }

// detect takes a request that is for another server: an absolute URL that is not this virtual host's own, or CONNECT with
// a host and a port (httpd: mod_proxy.c proxy_detect).
func (f *Forward) detect(_ context.Context, x *exchange.Exchange) error {
	t := x.Req.Target
	if !x.Main() { // the page in the place of an error is this server's own
		return nil
	}
	if x.Req.Method == "CONNECT" {
		if _, _, ok := hostAndPort(t); !ok {
			return nil
		}
	} else {
		scheme, rest, ok := cutScheme(t)
		if !ok || strings.HasPrefix(rest, "//") && ownURL(x, scheme, rest[2:]) {
			return nil
		}
	}
	x.Req.Proxy, x.Req.Path = true, t // for SetEnvIf, too
	x.Filename, x.Handler = x.Arena.Join(Prefix, t), handlerName
	return nil
}

// hostAndPort is what CONNECT names: both must be there, and nothing else.
func hostAndPort(t string) (host string, port uint16, ok bool) {
	i := strings.LastIndexByte(t, ':')
	if i <= 0 || strings.ContainsAny(t, "/@?#") || !allDigits(t[i+1:]) {
		return "", 0, false
	}
	n, err := strconv.ParseUint(t[i+1:], 10, 16)
	return lowerText(strings.Trim(t[:i], "[]")), uint16(n), err == nil
}

// cutScheme is the scheme of an absolute URL and what follows its colon: nothing, a path, or "//" and an authority. A path
// without a slash in front is none (httpd: protocol.c ap_parse_uri).
func cutScheme(t string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(t, ":")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/?#*") || rest != "" && rest[0] != '/' && rest[0] != '?' {
		return "", "", false
	}
	return scheme, rest, true
}

// ownURL reports whether a URL names the virtual host that was found for it, and its port (httpd: vhost.c
// ap_matches_request_vhost). Where ServerName has no port, the usual one is its own if the request came by it.
func ownURL(x *exchange.Exchange, scheme, authority string) bool {
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority = authority[:i]
	}
	authority = strings.TrimSuffix(authority, ":")
	host, port, ok := splitAuthority(authority)
	if !ok && host != "" || !exchange.EqualFold(scheme, x.Scheme()) {
		return false
	}
	if port == 0 {
		port = balancer.PortOf(lowerText(scheme))
	}
	s := site.HostOf(x)
	return s.Matches(host, int(port)) || x.Server.Port == 0 && int(port) == x.DefaultPort() && x.Conn.Local.Port() == port && s.Matches(host, 0)
}

// usual are the ports that a redirect leaves out (httpd: APR, apr_uri_unparse).
var usual = map[string]uint16{"http": 80, "https": 443, "ftp": 21}

// forward is what a forward proxy does before it asks anybody. A host without a dot may need a domain (httpd:
// mod_proxy.c proxy_needsdomain).
func (h *handler) forward(p *proxyState) error {
	x, domain := p.x, h.upstreams.Settings.Domain
	if domain == "" || !x.Req.IsGet() {
		return nil
	}
	scheme, authority, ok := SplitURL(x.Req.Target)
	if i := strings.IndexAny(authority, "?#"); i >= 0 {
		authority = authority[:i]
	}
	host, port, good := splitAuthority(strings.TrimSuffix(authority, ":"))
	if !ok || !good || strings.ContainsAny(host, ".:") || exchange.EqualFold(host, "localhost") {
		return nil
	}
	rest := x.Req.Target[len(scheme)+len("://")+len(authority):]
	if strings.HasPrefix(rest, "/") { // its normal form
		end := len(rest)
		if i := strings.IndexAny(rest, "?#"); i >= 0 {
			end = i
		}
		rest = x.Arena.Join(x.Req.RawPath, rest[end:])
	}
	to := x.Arena.Join(scheme, "://", host, domain)
	if port != 0 && port != usual[lowerText(scheme)] {
		to = x.Arena.Join(to, ":", x.Arena.Int(int64(port)))
	}
	to = x.Arena.Join(to, rest)
	x.Log("proxy", exchange.Info, nil, x.Arena.Join("AH01138: Domain missing: ", x.Req.Target, " sent to ", to))
	x.Res.Header.Set("Location", to)
	return exchange.Status(301)
}

// connect joins the client with the host that it names (httpd: mod_proxy_connect.c proxy_connect_handler).
func (h *handler) connect(ctx context.Context, p *proxyState) error {
	x, f := p.x, h.upstreams.Settings.Forward
	if x.Req.Major != 1 || !f.Connects {
		x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH01144: No protocol handler was valid for the URL ", x.Req.Target, " (scheme '(null)'). If you are using a DSO version of mod_proxy, make sure the proxy submodules are included in the configuration using LoadModule."))
		return exchange.Status(500)
	}
	x.Block()
	call := h.attemptOptions(p)
	addrs, err := backend.Addresses(ctx, p.worker, call)
	if err != nil {
		x.Log("proxy_connect", exchange.Error, nil, x.Arena.Join("AH02327: failed to resolve hostname '", p.host, "'"))
		return proxyError(x, 502, nil, x.Arena.Join("DNS lookup failure for: ", p.host))
	}
	if err := h.named(x, p.host, addrs); err != nil {
		return err
	}
	if !slices.ContainsFunc(f.Ports, func(r PortRange) bool { return r.Low <= p.port && p.port <= r.High }) || f.leadsHere(addrs, p.port) {
		return proxyError(x, 403, nil, "Connect to remote machine blocked")
	}
	if r := h.upstreams.Settings.Remotes; r != nil {
		if to := r.Find(x, "", x.Req.Target); to != nil && !r.GoesDirect(p.host, func() []netip.Addr { return addrs }) {
			call.Remote = to
		}
	}
	tunnel, err := backend.OpenTunnel(ctx, x, call, p.worker, p.host, p.port, addrs)
	if err != nil {
		x.Log("proxy", exchange.Error, err, x.Arena.Join("AH00939: CONNECT: attempt to connect to ", p.host, ":", x.Arena.Int(int64(p.port)), " failed"))
		return exchange.Status(503)
	}
	r := &x.Res
	r.Status, r.Reason, r.Tunnel, r.Proxied = 200, "Connection Established", tunnel, true
	r.Header.Reset()
	r.Header.Set("Proxy-agent", x.Server.Token)
	r.Headless = call.Remote != nil
	return nil
}

// leadsHere reports whether an address is one of this server's own: the request would come back, from an address that
// rules of access trust.
func (f *Forward) leadsHere(addrs []netip.Addr, port uint16) bool {
	for _, own := range f.Own {
		if own.Port() != port {
			continue
		}
		for _, a := range addrs {
			if a.IsUnspecified() || own.Addr() == a || own.Addr().IsUnspecified() && (a.IsLoopback() || backend.Local(a)) {
				return true
			}
		}
	}
	return false
}
