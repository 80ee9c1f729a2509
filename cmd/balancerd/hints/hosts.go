package hints

import (
	"net/netip"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// Unreachable adds hints about virtual hosts that get no request, of which httpd says nothing: no Listen line has their
// address, or another host before them has their name.
func Unreachable(s *site.Site) {
	for _, h := range s.Hosts[1:] {
		for _, a := range h.Addresses {
			if !listened(s.Listeners, a) {
				s.Config.Fails(place(h), "no Listen line takes connections for <VirtualHost "+a.String()+">: "+title(h)+" gets no request there")
			}
		}
	}
	type pair struct{ first, later *site.Host }
	told := map[pair]bool{}
	s.Shadowed(func(at site.Address, name string, first, later *site.Host) {
		if p := (pair{first, later}); !told[p] {
			told[p] = true
			s.Config.Fails(place(later), "requests for "+name+" at "+at.String()+" go to the virtual host before it, "+first.Scope.Pos.String())
		}
	})
}

// listened reports whether connections to an address can come in.
func listened(list []site.Listener, a site.Address) bool {
	for _, l := range list {
		at, err := netip.ParseAddrPort(l.Address)
		if err != nil {
			return true // where it listens is not known
		}
		ip := at.Addr().Unmap()
		if (a.Port == 0 || a.Port == int(at.Port())) && (a.Any() || ip.IsUnspecified() || a.IP.Unmap() == ip) {
			return true
		}
	}
	return false
}

func place(h *site.Host) directive.Args {
	return directive.Args{Name: "<VirtualHost", Pos: h.Scope.Pos}
}

// title is what a host is called in a hint.
func title(h *site.Host) string {
	if len(h.Names) > 0 {
		return h.Names[0]
	}
	return "this host"
}
