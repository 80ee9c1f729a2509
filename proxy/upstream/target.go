package upstream

import (
	"net"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// resolveTarget takes the mapped URL apart and writes the request target as members get it: httpd's
// canonicalisation (proxy_util.c ap_proxy_canon_url, mod_proxy_http.c proxy_http_canon).
func (h *handler) resolveTarget(p *proxyState) error {
	p.balancer, p.worker, p.attempts, p.socket, p.site, p.resolved, p.pathEnd = nil, nil, 0, "", "", "", 0
	x := p.x
	if x.Req.Proxy && x.Req.Method == "CONNECT" {
		p.host, p.port, _ = hostAndPort(x.Req.Target)
		p.scheme, p.route, p.to = "connect", nil, nil
		p.worker = h.upstreams.Generic
		return nil
	}
	if p.route == nil || x.Filename != p.mapped {
		p.route, p.to, p.asCame = nil, nil, x.Notes.Has("proxy-nocanon") // of a RewriteRule with P and NE
	}
	if d := p.destination(); d != nil {
		p.scheme, p.host, p.port, p.site, p.balancer = d.scheme, d.host, d.port, d.site, p.to.balancer
		p.path = ""
		if at := int(p.route.pathAt); len(x.Filename) >= at {
			p.path = x.Filename[at-1:]
		}
	} else if err := h.parse(p, x.Filename[len(Prefix):]); err != nil {
		return err
	}
	p.asCame = p.asCame || x.Req.Proxy
	p.resolved = x.Filename
	return p.encode()
}

// destination is what the line that mapped the request names for all requests; nil for nothing that this server has.
func (p *proxyState) destination() *destination {
	if p.route == nil || p.route.dest == nil || p.route.dest.balancer != "" && p.to.balancer == nil {
		return nil
	}
	return p.route.dest
}

// parse is for URLs whose host is known only now.
func (h *handler) parse(p *proxyState, url string) error {
	x := p.x
	if path, rest, ok := cutSocket(url); ok {
		if rest == "" || strings.IndexByte(rest, ':') < 0 {
			x.Log("proxy", exchange.Error, nil, x.Arena.Join("AH10292: Invalid proxy UDS filename (", x.Filename, ")"))
			return exchange.Status(400)
		}
		p.socket, url = h.upstreams.Relative(path), localhost(x, rest)
	}
	scheme, authority, ok := SplitURL(url)
	if !ok {
		scheme, _, absolute := cutScheme(url)
		switch {
		case absolute && !h.speaks(scheme):
			return noScheme(p, scheme)
		case strings.IndexByte(url, ':') < 0:
			x.Log("proxy", exchange.Debug, nil, x.Arena.Join("AH01141: proxy_handler no URL in ", x.Filename))
			return exchange.Status(400)
		}
		if !absolute {
			scheme, _, _ = strings.Cut(url, ":")
		}
		return badURL(x, scheme, url, "Malformed URL")
	}
	p.scheme, p.path = lowerText(scheme), url[len(scheme)+3+len(authority):]
	if IsBalancer(url) {
		if authority == "" {
			return badURL(x, scheme, url[:len(scheme)+3], "Invalid host/port")
		}
		if p.balancer = h.upstreams.balancer(url); p.balancer == nil {
			return noScheme(p, scheme)
		}
		return nil
	}
	if p.host, p.port, ok = splitAuthority(authority); !ok || p.host == "" || p.host[0] == '?' {
		switch {
		case !h.speaks(scheme):
			return noScheme(p, scheme)
		case ok && p.host != "": // a query alone
			return proxyError(x, 500, &net.DNSError{IsNotFound: true}, "DNS lookup failure for: ")
		}
		return badURL(x, scheme, url[:len(scheme)+3+len(authority)], "Invalid host/port")
	}
	p.host = lowerText(p.host)
	if strings.ContainsAny(p.host, "?#") { // a nocanon URL without a slash behind the host (httpd: proxy_util.c ap_proxy_determine_connection)
		return proxyError(x, 400, nil, "URI cannot be parsed: "+p.scheme+"://["+p.host+"]/")
	}
	if p.port == 0 {
		p.port = balancer.PortOf(p.scheme)
	}
	p.site = siteOf(p.scheme, p.host, p.port)
	return nil
}

// speaks reports whether there are members of a scheme, in any case.
func (h *handler) speaks(scheme string) bool {
	t, is := h.backend.(backend.Table)
	return !is || exchange.EqualFold(scheme, "balancer") || t.Find(lowerText(scheme)) != nil
}

// noScheme is the answer to a URL that nobody can serve.
func noScheme(p *proxyState, scheme string) error {
	p.scheme = lowerText(scheme)
	o := outcomes[backend.BadScheme]
	return o.report(p, &backend.Failure{Kind: backend.BadScheme})
}

// parsers are the modules that say that a URL of a scheme can't be read, and the message's number (httpd: their canon
// handlers). That of all others is mod_proxy_http, which names the scheme as well.
var parsers = map[string]struct{ module, number string }{
	"ajp":        {"proxy_ajp", "AH00867: "},
	"balancer":   {"proxy_balancer", "AH01157: "},
	"fcgi":       {"proxy_fcgi", "AH01059: "},
	"scgi":       {"proxy_scgi", "AH00857: "},
	"uwsgi":      {"proxy_uwsgi", "AH10097: "},
	exchange.H2:  {"proxy_http2", "AH03350: "},
	exchange.H2C: {"proxy_http2", "AH03350: "},
}

// badURL refuses a URL, of which url is what was read.
func badURL(x *exchange.Exchange, scheme, url, why string) error {
	by, is := parsers[lowerText(scheme)]
	if is {
		url = url[len(scheme)+1:]
	} else {
		by.module, by.number = "proxy_http", "AH01083: "
	}
	x.Log(by.module, exchange.Error, nil, x.Arena.Join(by.number, "error parsing URL ", url, ": ", why))
	return exchange.Status(400)
}

// cutSocket splits "unix:PATH|URL".
func cutSocket(text string) (path, url string, ok bool) {
	if len(text) < 5 || !exchange.EqualFold(text[:5], "unix:") {
		return "", text, false
	}
	return strings.Cut(text[5:], "|")
}

// localhost gives a URL behind a socket the host that it may leave out: "http:", "http:/path",
// "http://", "http:///path" (httpd: proxy_util.c fixup_uds_filename).
func localhost(x *exchange.Exchange, url string) string {
	scheme, rest, _ := strings.Cut(url, ":")
	switch {
	case rest == "" || rest == "//":
		rest = ""
	case rest[0] == '/' && (len(rest) == 1 || rest[1] != '/'):
	case strings.HasPrefix(rest, "///"):
		rest = rest[2:]
	default:
		return url
	}
	return x.Arena.Join(scheme, "://localhost", rest)
}

// encode makes the request target of the path and query.
func (p *proxyState) encode() error {
	x := p.x
	if pr := protocolOf(p.scheme); pr.encode != nil {
		return pr.encode(p)
	}
	path, query, has := p.path, x.Req.Query, x.Req.HasQuery
	switch {
	case p.asCame:
		query, has = "", false
		if !visible(path) {
			return refused(x, "proxy_http", "AH10415: To be forwarded path contains control characters or spaces")
		}
	case p.encoded():
		if !visible(path) {
			return refused(x, "proxy_http", "AH10415: To be forwarded path contains control characters or spaces")
		}
	default:
		path = encodePath(&x.Arena, path, x.Server.EncodedSlashes == exchange.SlashesNoDecode && !x.Local.DecodedSlashes)
	}
	if has && !visible(query) {
		return refused(x, "proxy_http", "AH10408: To be forwarded query string contains control characters or spaces")
	}
	slash := ""
	if path == "" || path[0] != '/' {
		slash = "/"
	}
	p.pathEnd = len(slash) + len(path)
	switch {
	case has:
		p.target = x.Arena.Join(slash, path, "?", query)
	case slash != "":
		p.target = x.Arena.Join(slash, path)
	default:
		p.target = path
	}
	return nil
}

// encoded reports whether the path was mapped before it was decoded (mapping=encoded).
func (p *proxyState) encoded() bool { return p.route != nil && p.route.Flags&MapEncoded != 0 }

// targetPath is the target without its query.
func (p *proxyState) targetPath() string {
	if p.asCame {
		path, _, _ := strings.Cut(p.target, "?")
		return path
	}
	return p.target[:p.pathEnd]
}

// at is the target for a member: the path of its own URL goes in front.
func (p *proxyState) at(w *balancer.Worker) string { return p.below(w, p.target) }

// below is a target, or its path, with the path of a member's URL in front.
func (p *proxyState) below(w *balancer.Worker, target string) string {
	own := w.URL()
	own = own[len(own)-pathLength(own):]
	if own == "" {
		return target
	}
	x := p.x
	if !p.asCame && !p.encoded() {
		own = encodePath(&x.Arena, own, false)
	}
	return x.Arena.Join(own, target)
}

// pathLength is how much of a worker's URL lies behind its host.
func pathLength(url string) int {
	i := strings.Index(url, "://")
	if i < 0 {
		return 0
	}
	if k := strings.IndexAny(url[i+3:], "/?#"); k >= 0 {
		return len(url) - i - 3 - k
	}
	return 0
}
