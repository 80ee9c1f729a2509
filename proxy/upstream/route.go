package upstream

import (
	"strings"

	"balancerd/balancer"
)

// route is a line compiled. It does not depend on the server whose requests it maps: a virtual host shares
// the routes of the main server. Immutable.
type route struct {
	*Line
	exempt bool         // the line is not to be proxied: "!"
	pathAt int32        // where in x.Filename the path begins, behind the host's slash; with dest only
	slot   int32        // of dest in the Targets of a server
	dest   *destination // what its URL names; nil when that depends on the request
}

// destination is what stands in front of the path in the URLs of lines, the same for every request.
type destination struct {
	scheme   string // lower case
	host     string // as it is dialed
	port     uint16
	site     string // "scheme://host[:port]" as workers' names have it
	balancer string // "balancer://name" in place of these; "" for none
}

// target is what serves a destination in one server.
type target struct {
	balancer *balancer.Balancer // of a destination that is one; nil: the server has none of that name
	workers  siteWorkers        // else: the workers that may serve its site
}

// newRoute prepares a line, but for its slot.
func newRoute(l *Line) route {
	r := route{Line: l, exempt: l.URL == "!"}
	if r.exempt || l.Flags&Interpolate != 0 || l.Pattern != nil && strings.ContainsAny(l.URL, `$\`) {
		return r
	}
	scheme, authority, ok := SplitURL(l.URL)
	if !ok || !r.hostIsFixed(len(scheme)+3+len(authority)) {
		return r
	}
	r.pathAt = int32(len(Prefix) + len(scheme) + 3 + len(authority) + 1)
	d := destination{scheme: strings.ToLower(scheme)}
	if IsBalancer(l.URL) {
		d.balancer = l.URL[:len(scheme)+3+len(authority)]
		r.dest = &d
		return r
	}
	if d.host, d.port, ok = splitAuthority(authority); !ok {
		return r
	}
	d.host = strings.ToLower(d.host)
	if d.port == 0 {
		d.port = balancer.PortOf(d.scheme)
	}
	d.site = siteOf(d.scheme, d.host, d.port)
	r.dest = &d
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
