package site

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
)

// Address is one address of a <VirtualHost> line.
type Address struct {
	IP   netip.Addr // the zero Addr is "*"
	Port int        // 0 is any
}

// Any reports whether it is every IP: "*", 0.0.0.0 and [::] alike (httpd: vhost.c ap_fini_vhost_config).
func (a Address) Any() bool { return !a.IP.IsValid() || a.IP.IsUnspecified() }

// key is the place of its hosts in names.groups.
func (a Address) key() netip.AddrPort {
	if a.Any() {
		a.IP = netip.Addr{}
	}
	return netip.AddrPortFrom(a.IP.Unmap(), uint16(a.Port))
}

// String is "10.0.0.1:80", "[::1]:80", "*:80", "*:*".
func (a Address) String() string {
	port := a.PortText()
	switch ip := a.IP.Unmap(); {
	case a.Any():
		return "*:" + port
	case ip.Is6():
		return "[" + ip.String() + "]:" + port
	default:
		return ip.String() + ":" + port
	}
}

// PortText is "80", "*" for any.
func (a Address) PortText() string {
	if a.Port == 0 {
		return "*"
	}
	return strconv.Itoa(a.Port)
}

// names finds the virtual host of a connection and a Host (httpd: vhost.c).
type names struct {
	main   *Host
	groups map[netip.AddrPort]*group // by the address that <VirtualHost> names; zero address or port for any
	list   []addressed               // the same while there are few: looking through them is faster
}

// addressed is a group with its address.
type addressed struct {
	at    netip.AddrPort
	group *group
}

// fewGroups is up to how many groups are looked through.
const fewGroups = 4

// group is the hosts of one address, in file order, with an index of their names.
type group struct {
	hosts []*Host
	exact map[string]int // a name's first host
	wild  wildcards
}

// Group is the virtual hosts that share an address, in file order: what -S prints.
type Group struct {
	Address Address
	Hosts   []*Host
}

func newNames(hosts []*Host) *names {
	n := &names{main: hosts[0], groups: map[netip.AddrPort]*group{}}
	for _, h := range hosts[1:] {
		for _, a := range h.Addresses {
			key := a.key()
			g := n.groups[key]
			if g == nil {
				g = &group{exact: map[string]int{}}
				n.groups[key] = g
			}
			g.add(h)
		}
	}
	if len(n.groups) <= fewGroups {
		for at, g := range n.groups {
			n.list = append(n.list, addressed{at, g})
		}
	}
	return n
}

// at is the group of exactly an address.
func (n *names) at(key netip.AddrPort) *group {
	if n.list == nil {
		return n.groups[key]
	}
	for i := range n.list {
		if a := &n.list[i]; a.at.Port() == key.Port() && a.at.Addr() == key.Addr() {
			return a.group
		}
	}
	return nil
}

func (g *group) add(h *Host) {
	if k := len(g.hosts); k > 0 && g.hosts[k-1] == h {
		return
	}
	i := len(g.hosts)
	g.hosts = append(g.hosts, h)
	for _, name := range h.Names {
		if strings.ContainsAny(name, "*?") {
			g.wild.add(name, i)
		} else if _, taken := g.exact[name]; !taken {
			g.exact[name] = i
		}
	}
}

// named is the first host in file order that has the name, by its ServerName or an alias.
func (g *group) named(name string) *Host {
	best, ok := g.exact[name]
	if !ok {
		best = len(g.hosts)
	}
	if best = g.wild.first(name, best); best == len(g.hosts) {
		return nil
	}
	return g.hosts[best]
}

// Groups are the virtual hosts by address: those with an IP first. httpd reads its hosts from the last to the first,
// puts each new address in front of its list, and has one list for each of the 256 hashes of an IP (httpd: vhost.c
// ap_fini_vhost_config, dump_vhost_config).
func (s *Site) Groups() []Group {
	var out, wild []Group
	seen := map[netip.AddrPort]bool{}
	for _, h := range slices.Backward(s.Hosts[1:]) {
		for _, a := range h.Addresses {
			key := a.key()
			if seen[key] {
				continue
			}
			seen[key] = true
			g := Group{Address: a, Hosts: s.names.groups[key].hosts}
			if a.Any() {
				wild = append(wild, g)
			} else {
				out = append(out, g)
			}
		}
	}
	slices.Reverse(out)
	slices.Reverse(wild)
	slices.SortStableFunc(out, func(a, b Group) int { return hashOf(a.Address.IP) - hashOf(b.Address.IP) })
	return append(out, wild...)
}

// Shadowed calls found for each name of a virtual host that never finds it, because a host before it at the same address
// answers to the name. Names with wildcards are left out: some of what they stand for may be free.
func (s *Site) Shadowed(found func(at Address, name string, first, later *Host)) {
	for _, h := range s.Hosts[1:] {
		for _, a := range h.Addresses {
			g := s.names.groups[a.key()]
			for _, name := range h.Names {
				if strings.ContainsAny(name, "*?") {
					continue
				}
				if first := g.named(name); first != h {
					found(a, name, first, h)
				}
			}
		}
	}
}

// hashOf is made of an IP's last four bytes (httpd: vhost.c hash_addr, on a little-endian machine).
func hashOf(ip netip.Addr) int {
	b := ip.Unmap().AsSlice()
	b = b[len(b)-4:]
	return int(b[0] ^ b[1] ^ b[2] ^ b[3])
}

// of is the group that serves connections to local: the first of ip:port, ip:*, *:port, *:* that
// there is. nil: the main server.
func (n *names) of(local netip.AddrPort) *group {
	ip := local.Addr().Unmap()
	port := local.Port()
	for _, key := range [...]netip.AddrPort{netip.AddrPortFrom(ip, port), netip.AddrPortFrom(ip, 0),
		netip.AddrPortFrom(netip.Addr{}, port), netip.AddrPortFrom(netip.Addr{}, 0)} {
		if g := n.at(key); g != nil {
			return g
		}
	}
	return nil
}

// fallback is the host of a connection before a name is known, and for names that nobody has.
func (n *names) fallback(local netip.AddrPort) *Host {
	if len(n.groups) == 0 {
		return n.main
	}
	if g := n.of(local); g != nil {
		return g.hosts[0]
	}
	return n.main
}

// find is the host for a name. known is false when no ServerName or ServerAlias has it.
func (n *names) find(local netip.AddrPort, name string) (h *Host, known bool) {
	var g *group
	if len(n.groups) > 0 {
		g = n.of(local)
	}
	if g == nil {
		return n.main, n.main.answersTo(name)
	}
	if name != "" {
		if h := g.named(name); h != nil {
			return h, true
		}
	}
	return g.hosts[0], false
}

// answersTo reports whether ServerName or an alias, with wildcards, is the lower-case name.
func (h *Host) answersTo(name string) bool {
	for _, n := range h.Names {
		if n == name || strings.ContainsAny(n, "*?") && pattern.Shell(n, name, 0) {
			return true
		}
	}
	return false
}

// Matches reports whether a name and port, as they stand in a URL, are this server's own: the address of its
// <VirtualHost> as written, or one of its names with the port that ServerName has (httpd: vhost.c
// ap_matches_request_vhost).
func (h *Host) Matches(name string, port int) bool {
	if h == h.site.Hosts[0] {
		if name == "" { // the main server's address is no name, at any port
			return true
		}
	} else {
		for _, word := range apacheconf.Words(h.Scope.Arg) {
			host, text, _ := strings.Cut(word, ":")
			if exchange.EqualFold(host, name) && (text == "" || text == "*" || directive.Atoi(text) == port) {
				return true
			}
		}
	}
	return port == h.Server.Port && (exchange.EqualFold(h.Server.Name, name) || h.answersTo(strings.ToLower(name)))
}

// Find is the virtual host for a name, lower case, on a local address; without a name the one whose
// settings hold for the connection. known is false when no ServerName or ServerAlias has it.
func (s *Site) Find(local netip.AddrPort, name string) (h *Host, known bool) {
	return s.names.find(local, name)
}

// Default is the server whose settings hold for a connection until the Host is known.
func (s *Site) Default(local netip.AddrPort) *exchange.Server { return s.names.fallback(local).Server }
