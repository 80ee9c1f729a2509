package hcheck

import (
	"net"
	"strconv"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// mostBody is how much of an answer's body conditions see, in bytes. What follows is not read.
const mostBody = 1 << 20

// methods are the methods of HTTP checks: what they ask with, and in which minor version.
var methods = map[balancer.Check]struct {
	name  string
	minor int
}{
	balancer.CheckOptions: {"OPTIONS", 0}, balancer.CheckOptions11: {"OPTIONS", 1},
	balancer.CheckHead: {"HEAD", 0}, balancer.CheckHead11: {"HEAD", 1},
	balancer.CheckGet: {"GET", 0}, balancer.CheckGet11: {"GET", 1},
}

// requestOf is what a member is asked. ok is false for methods that ask nothing by HTTP.
func requestOf(a balancer.Address, h *balancer.Health) (p *backend.Probe, ok bool) {
	m, ok := methods[h.Method]
	if !ok {
		return nil, false
	}
	p = &backend.Probe{Method: m.name, Minor: m.minor, Host: hostOf(a), Target: "*"}
	switch m.name {
	case "GET":
		p.MostBody = mostBody
		fallthrough
	case "HEAD":
		p.Target = pathOf(a.URL, h.URI)
	}
	switch name, value := h.Field(); {
	case strings.EqualFold(name, "Host"):
		p.Host = value
	case name != "":
		p.Header.Add(name, value)
	}
	return p, true
}

// hostOf is the Host field of a check, the port always with it; httpd leaves the brackets of IPv6 away.
func hostOf(a balancer.Address) string {
	return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
}

// pathOf is the path of a member's URL with hcuri= behind it: a slash in between where there is a path, even when it
// ends with one. Where httpd asks for nothing at all, it is the root (httpd: mod_proxy_hcheck.c create_hcheck_req).
func pathOf(url, uri string) string {
	_, rest, _ := strings.Cut(url, "://")
	path := ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		path, _, _ = strings.Cut(rest[i:], "?")
	}
	switch {
	case path != "" && uri != "":
		return path + "/" + uri
	case path+uri == "":
		return "/"
	}
	return path + uri
}

// spoken is the scheme by which a member is checked: what is no HTTP is asked in plain HTTP/1 all the same, as by httpd.
func spoken(scheme string) string {
	switch scheme {
	case "http", "https", "ws", "wss", exchange.H2, exchange.H2C:
		return scheme
	}
	return "http"
}
