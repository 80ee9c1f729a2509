package upstream

import (
	"slices"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// route is a line compiled for the server whose requests it maps. Immutable.
type route struct {
	*Line
	upstreams *Upstreams
	exempt    bool // the line is not to be proxied: "!"

	// Of a line whose scheme and host are the same for every request.
	fixed    bool
	scheme   string
	host     string // as it is dialed
	port     uint16
	site     string // "scheme://host[:port]" as workers' names have it
	pathAt   int    // where in x.Filename the path begins, behind the host's slash
	balancer *balancer.Balancer
	near     []candidate // the workers that may serve it, longest name first
}

// candidate is a worker whose name has a route's site.
type candidate struct {
	worker *balancer.Worker
	suffix string // of the name, behind the site
	wild   bool   // "$n" or a backslash stands in the name: the whole URL must be compared
}

// compile prepares a line for the requests of its server.
func (u *Upstreams) compile(l *Line) *route {
	r := &route{Line: l, upstreams: u, exempt: l.URL == "!"}
	if r.exempt || l.Flags&Interpolate != 0 || l.Pattern != nil && strings.ContainsAny(l.URL, `$\`) {
		return r
	}
	scheme, authority, ok := SplitURL(l.URL)
	if !ok || !r.hostIsFixed(len(scheme)+3+len(authority)) {
		return r
	}
	r.scheme = strings.ToLower(scheme)
	r.pathAt = len(Prefix) + len(scheme) + 3 + len(authority) + 1
	if IsBalancer(l.URL) {
		r.balancer = u.balancer(l.URL)
		r.fixed = r.balancer != nil
		return r
	}
	host, port, ok := splitAuthority(authority)
	if !ok {
		return r
	}
	r.host, r.port, r.fixed = strings.ToLower(host), port, true
	if port == 0 {
		r.port = balancer.PortOf(r.scheme)
	}
	r.site = siteOf(r.scheme, r.host, r.port)
	r.near = u.near(r.site)
	return r
}

// hostIsFixed reports whether nothing of a request's path can become part of the host: there is a slash behind
// it, or what is appended begins with one. What a servlet's context leaves may begin with parameters.
func (r *route) hostIsFixed(host int) bool {
	return host < len(r.URL) || r.Pattern != nil || !strings.HasSuffix(r.Path, "/") && r.Flags&MapServlet == 0
}

// siteOf is the part of a worker's name in front of its path.
func siteOf(scheme, host string, port uint16) string {
	if strings.IndexByte(host, ':') >= 0 {
		host = "[" + host + "]"
	}
	if port == 0 || port == balancer.PortOf(scheme) {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + decimal(port)
}

func decimal(port uint16) string {
	var b [5]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + port%10)
		if port /= 10; port == 0 {
			return string(b[i:])
		}
	}
}

// near are the workers that may serve URLs of a site, the longest name first, of equals the earlier.
func (u *Upstreams) near(site string) []candidate {
	var list []candidate
	for _, w := range u.Workers {
		name, a := w.URL(), w.Address()
		if a.Match && strings.ContainsAny(name, `$\`) {
			list = append(list, candidate{w, "", true})
			continue
		}
		if rest, ok := strings.CutPrefix(name, site); ok && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			list = append(list, candidate{w, rest, false})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return len(b.worker.URL()) - len(a.worker.URL()) })
	return list
}

// workerFor is the worker for a request target of the route's site; nil when none covers it.
func (r *route) workerFor(a *exchange.Arena, target string) *balancer.Worker {
	url := ""
	for i := range r.near {
		c := &r.near[i]
		if !c.wild {
			if strings.HasPrefix(target, c.suffix) {
				return c.worker
			}
			continue
		}
		if url == "" {
			url = a.Join(r.site, target)
		}
		if c.worker.Covers(url) {
			return c.worker
		}
	}
	return nil
}
