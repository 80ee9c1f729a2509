package proxy

import (
	"balancerd/apacheconf"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
	"balancerd/proxy/upstream"
)

func setRequests(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	c.forward.Set(a.On)
	c.opened = a.Pos
	return nil
}

// setPorts is AllowCONNECT: a port, or "a-b" (httpd: mod_proxy_connect.c set_allowed_ports).
func setPorts(s *directive.Scope, a directive.Args) error {
	word := a.Words[0]
	if word[0] < '0' || '9' < word[0] {
		return errors.New("AllowCONNECT: port numbers must be numeric")
	}
	low, high, ranged := strings.Cut(word, "-")
	if !ranged {
		high = low
	}
	from, err := strconv.ParseUint(low, 10, 16)
	if err != nil {
		return errors.New("Cannot parse '" + word + "' as port number")
	}
	to, err := strconv.ParseUint(high, 10, 16)
	if err != nil {
		return errors.New("Cannot parse '" + high + "' as port number")
	}
	c := servers.In(s)
	c.ports = append(c.ports, upstream.PortRange{Low: uint16(from), High: uint16(to)})
	return nil
}

// usualPorts are what CONNECT may ask for where AllowCONNECT says nothing.
var usualPorts = []upstream.PortRange{{Low: 443, High: 443}, {Low: 563, High: 563}}

// forwards is the server as a forward proxy; nil for none.
func (s *serverSettings) forwards(h *site.Host) *upstream.Forward {
	if !s.forward.Or(false) {
		return nil
	}
	f := &upstream.Forward{Connects: h.Scope.Config.Loaded("mod_proxy_connect.c"), Ports: s.ports}
	if len(f.Ports) == 0 {
		f.Ports = usualPorts
	}
	return f
}

// openDefine is the name whose Define accepts a proxy that everybody may use.
const openDefine = "BALANCERD_OPEN_PROXY"

// checkOpen refuses a forward proxy that everybody may use: no rule of access holds for all of what it may be asked for.
// httpd starts it.
func checkOpen(c *directive.Config, hosts []*site.Host) error {
	if slices.ContainsFunc(c.Tree.Defines, func(d apacheconf.Define) bool { return d.Name == openDefine }) {
		return nil
	}
	for _, h := range hosts {
		chain := []*directive.Scope{c.Main}
		if h.Scope != c.Main {
			chain = append(chain, h.Scope)
		}
		set := servers.Merged(chain...)
		if set.forward.Or(false) && !slices.ContainsFunc(chain, guarded) && !slices.ContainsFunc(set.blocked, blocksAll) {
			return fmt.Errorf("%s:%d: ProxyRequests On without access rules in <Proxy \"*\"> makes this server a proxy for everybody\nhint: <Proxy \"*\"> with Require in it says who may use it; Define %s accepts that all may", set.opened.File, set.opened.Line, openDefine)
		}
	}
	return nil
}

// blocksAll reports whether a word of ProxyBlock is for every host.
func blocksAll(b upstream.BlockedHost) bool { return strings.HasPrefix(b.Name, "*") }

// guarded reports whether a server has a <Proxy *> with rules of access.
func guarded(s *directive.Scope) bool {
	return slices.ContainsFunc(s.Children, func(c *directive.Scope) bool {
		return strings.EqualFold(c.Tag, "Proxy") && c.Arg == "*" && c.Holds("mod_authz_core", "mod_access_compat")
	})
}

// listening is where the server listens: nobody is sent there by it as a forward proxy.
func listening(st *site.Site) (list []netip.AddrPort) {
	for _, l := range st.Listeners {
		if a, err := netip.ParseAddrPort(l.Address); err == nil {
			list = append(list, a)
		}
	}
	return list
}
