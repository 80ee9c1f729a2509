package proxy

import (
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// aim takes the mapped URL apart and writes the request target as members get it: httpd's
// canonicalisation (proxy_util.c ap_proxy_canon_url, mod_proxy_http.c proxy_http_canon).
func (h *handler) aim(f *flight) error {
	f.balancer, f.worker, f.attempts, f.socket, f.site, f.aimed = nil, nil, 0, "", "", ""
	x := f.x
	if f.route == nil || x.Filename != f.mapped {
		f.route, f.asCame = nil, false
	}
	if r := f.route; r != nil && r.fixed {
		f.scheme, f.host, f.port, f.balancer = r.scheme, r.host, r.port, r.balancer
		f.path = ""
		if len(x.Filename) >= r.pathAt {
			f.path = x.Filename[r.pathAt-1:]
		}
	} else if err := h.parse(f, x.Filename[len(proxyPrefix):]); err != nil {
		return err
	}
	f.aimed = x.Filename
	return f.encode()
}

// parse is for URLs whose host is known only now.
func (h *handler) parse(f *flight, url string) error {
	x := f.x
	if path, rest, ok := cutSocket(url); ok {
		if rest == "" || strings.IndexByte(rest, ':') < 0 {
			x.Log("proxy", exchange.Error, nil, x.Arena.Join("AH10292: Invalid proxy UDS filename (", x.Filename, ")"))
			return exchange.Status(400)
		}
		f.socket, url = h.fleet.relative(path), localhost(x, rest)
	}
	scheme, authority, ok := splitURL(url)
	if !ok {
		return badURL(x, url, "Malformed URL")
	}
	f.scheme, f.path = lowerText(scheme), url[len(scheme)+3+len(authority):]
	if isBalancer(url) {
		if f.balancer = h.fleet.balancer(url); f.balancer == nil {
			o := outcomes[backend.BadScheme]
			return o.report(f, &backend.Failure{Kind: backend.BadScheme})
		}
		return nil
	}
	if f.host, f.port, ok = splitAuthority(authority); !ok || f.host == "" {
		return badURL(x, url, "Invalid host/port")
	}
	f.host = lowerText(f.host)
	if strings.ContainsAny(f.host, "?#") { // a nocanon URL without a slash behind the host (httpd: proxy_util.c ap_proxy_determine_connection)
		return proxyError(x, 400, nil, "URI cannot be parsed: "+f.scheme+"://["+f.host+"]/")
	}
	if f.port == 0 {
		f.port = balancer.PortOf(f.scheme)
	}
	f.site = siteOf(f.scheme, f.host, f.port)
	return nil
}

func badURL(x *exchange.Exchange, url, why string) error {
	x.Log("proxy_http", exchange.Error, nil, x.Arena.Join("AH01083: error parsing URL ", url, ": ", why))
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
func (f *flight) encode() error {
	x := f.x
	path, query, has := f.path, x.Req.Query, x.Req.HasQuery
	switch {
	case f.asCame:
		query, has = "", false
		if !visible(path) {
			return unprintable(x, "AH10415: To be forwarded path contains control characters or spaces")
		}
	case f.encoded():
		if !visible(path) {
			return unprintable(x, "AH10415: To be forwarded path contains control characters or spaces")
		}
	default:
		path = encodePath(&x.Arena, path, x.Server.EncodedSlashes == exchange.SlashesNoDecode && !x.Local.DecodedSlashes)
	}
	if has && !visible(query) {
		return unprintable(x, "AH10408: To be forwarded query string contains control characters or spaces")
	}
	slash := ""
	if path == "" || path[0] != '/' {
		slash = "/"
	}
	switch {
	case has:
		f.target = x.Arena.Join(slash, path, "?", query)
	case slash != "":
		f.target = x.Arena.Join(slash, path)
	default:
		f.target = path
	}
	return nil
}

// encoded tells that the path was mapped before it was decoded (mapping=encoded).
func (f *flight) encoded() bool { return f.route != nil && f.route.flags&mapEncoded != 0 }

func unprintable(x *exchange.Exchange, message string) error {
	x.Log("proxy_http", exchange.Error, nil, message)
	return exchange.Status(403)
}

// at is the target for a member: the path of its own URL goes in front.
func (f *flight) at(w *balancer.Worker) string {
	own := w.URL()
	own = own[len(own)-pathLength(own):]
	if own == "" {
		return f.target
	}
	x := f.x
	if !f.asCame && !f.encoded() {
		own = encodePath(&x.Arena, own, false)
	}
	return x.Arena.Join(own, f.target)
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
