package remoteip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// protocolSettings are kept with the main server: the PROXY protocol is a matter of addresses, not of names.
type protocolSettings struct {
	switches   []protocolSwitch // in the order of the configuration
	exceptions []expr.Subnet    // peers that speak plainly
}

// protocolSwitch is one RemoteIPProxyProtocol.
type protocolSwitch struct {
	server *directive.Scope
	on     bool
}

var protocols = directive.NewKey("remoteip protocol", func(_, inner protocolSettings) protocolSettings { return inner })

func setProtocol(s *directive.Scope, a directive.Args) error {
	p := protocols.In(s.Config.Main)
	p.switches = append(p.switches, protocolSwitch{s.Server, a.On})
	return nil
}

// setExceptions (httpd: mod_remoteip.c remoteip_disable_networks).
func setExceptions(s *directive.Scope, a directive.Args) error {
	if len(a.Words) == 0 || a.Words[0] == "" {
		return errors.New(a.Name + " requires an argument")
	}
	p := protocols.In(s.Config.Main)
	for _, w := range a.Words {
		host, _, masked := strings.Cut(w, "/")
		n, ok := expr.ParseSubnet(w)
		switch {
		case !looksLikeIP(host) || host == "":
			return errors.New("ip address '" + host + "' appears to be invalid")
		case !ok:
			return errors.New("ip address '" + host + "' appears to be invalid: " + whyNot(host, masked))
		}
		p.exceptions = append(p.exceptions, n)
	}
	return nil
}

// address is one of those that a virtual host is for, or that all are for.
type address struct {
	ip     netip.Addr // 0.0.0.0: any
	port   int        // 0: any
	server *site.Host
}

func (a *address) String() string { return fmt.Sprintf("%s:%d", a.ip, a.port) }

func (a *address) same(b *address) bool { return a.ip == b.ip && a.port == b.port }

// covers reports whether what holds for a holds for b (httpd: mod_remoteip.c remoteip_sockaddr_compat).
func (a *address) covers(ip netip.Addr, port int) bool {
	return (a.ip == ip || a.ip.IsUnspecified()) && (a.port == 0 || a.port == port) || a.ip == ip && port == 0
}

// protocol is where the PROXY protocol is spoken. Immutable once made.
type protocol struct {
	enabled, disabled []address // the last first
	exceptions        []expr.Subnet
}

// newProtocol goes through the switches as httpd does: of two for the same address the later one holds (httpd:
// mod_remoteip.c remoteip_enable_proxy_protocol). nil: it is spoken nowhere.
func newProtocol(set protocolSettings, s *site.Site) *protocol {
	p := &protocol{exceptions: set.exceptions}
	for _, w := range set.switches {
		to, from := &p.enabled, &p.disabled
		if !w.on {
			to, from = from, to
		}
		for _, a := range addressesOf(s.Host(w.server)) {
			if i := slices.IndexFunc(*from, func(o address) bool { return o.same(&a) }); i >= 0 {
				s.Warn("remoteip", exchange.Notice, overridden(&(*from)[i], &a, w.on))
				*from = slices.Delete(*from, i, i+1)
			}
			if !slices.ContainsFunc(*to, func(o address) bool { return o.covers(a.ip, a.port) || a.covers(o.ip, o.port) }) {
				*to = slices.Insert(*to, 0, a)
			}
		}
	}
	for i := range p.enabled {
		s.WarnAtStart("remoteip", exchange.Notice, "AH03492: RemoteIPProxyProtocol: enabled on "+p.enabled[i].String())
	}
	for i := range p.disabled {
		s.WarnAtStart("remoteip", exchange.Notice, "AH03494: RemoteIPProxyProtocol: disabled on "+p.disabled[i].String())
	}
	if len(p.enabled) == 0 {
		return nil
	}
	return p
}

// addressesOf is what a server is for; the main one is for any address.
func addressesOf(h *site.Host) []address {
	if h.Scope.Kind == directive.Main {
		return []address{{ip: netip.IPv4Unspecified(), server: h}}
	}
	var out []address
	for _, a := range h.Addresses {
		ip := a.IP.Unmap()
		if !ip.IsValid() {
			ip = netip.IPv4Unspecified()
		}
		out = append(out, address{ip, a.Port, h})
	}
	return out
}

func overridden(old, now *address, on bool) string {
	place := func(a *address) string {
		file := a.server.Scope.Pos.File
		if file == "" {
			file = a.server.Scope.Config.Tree.File
		}
		return fmt.Sprintf("{%s:%d in %s}", a.server.Server.Name, a.port, file)
	}
	word := "Off"
	if on {
		word = "On"
	}
	return "AH03491: RemoteIPProxyProtocol: previous setting for " + old.String() + " from virtual host " + place(old) + " is being overridden by virtual host " +
		place(now) + "; new setting is '" + word + "'"
}

// expects reports whether a new connection must begin with a PROXY header.
func (p *protocol) expects(local, remote netip.AddrPort) bool {
	ip, port := local.Addr().Unmap(), int(local.Port())
	in := func(list []address) bool {
		return slices.ContainsFunc(list, func(a address) bool { return a.covers(ip, port) })
	}
	return in(p.enabled) && !in(p.disabled) &&
		!slices.ContainsFunc(p.exceptions, func(n expr.Subnet) bool { return n.Holds(remote.Addr()) })
}

// announce makes the client that the connection's header named the request's. It goes before RemoteIPHeader, which is
// not read then.
func announce(next exchange.Step) exchange.Step {
	return func(ctx context.Context, x *exchange.Exchange) error {
		switch a := x.Conn.Announced; {
		case a != nil:
			x.SetClient(a.IP, a.Port)
		case next != nil:
			return next(ctx, x)
		}
		return nil
	}
}
