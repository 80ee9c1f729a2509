package core

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/hostname"
	"balancerd/proxy/site"
)

// setServerName takes [scheme://]host[:port] (httpd: core.c server_hostname_port).
func setServerName(s *directive.Scope, a directive.Args) error {
	arg := a.Words[0]
	if pattern.IsShell(arg) {
		return errors.New("Invalid ServerName \"" + arg + "\" use ServerAlias to set multiple server names.")
	}
	c := servers.In(s)
	c.scheme, c.port = "", 0
	rest := arg
	if scheme, after, ok := strings.Cut(arg, "://"); ok {
		c.scheme, rest = strings.ToLower(scheme), after
	}
	name, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		name, port = rest[:i], rest[i+1:]
		n := directive.Atoi(port)
		if n < 1 || n > 65535 {
			return errors.New("The port number \"" + arg + "\" is outside the appropriate range (i.e., 1..65535).")
		}
		c.port = n
	} else if c.scheme == "https" {
		c.port = 443
	} else if c.scheme == "http" {
		c.port = 80
	}
	c.name = name
	return nil
}

func setServerAlias(s *directive.Scope, a directive.Args) error {
	if s.Kind == directive.Main {
		return errors.New("ServerAlias only used in <VirtualHost>")
	}
	c := servers.In(s)
	c.aliases = append(c.aliases, apacheconf.Words(a.Raw)...)
	return nil
}

func setNameVirtualHost(s *directive.Scope, a directive.Args) error {
	if p := globals.In(s.Config.Main); !p.nameVirtualHost { // httpd: vhost.c warnOnce
		p.nameVirtualHost = true
		s.Config.Warn(a.Pos, "", "AH00548: NameVirtualHost has no effect and will be removed in the next release "+a.Pos.File+":"+strconv.Itoa(a.Pos.Line))
	}
	return nil
}

// hostNames gives a host its names and identity. A virtual host without ServerName is called as the
// main server is.
func hostNames(st *site.Site, h *site.Host, c *serverSettings, main string) {
	h.Server.Name, h.Server.Scheme, h.Server.Port = c.name, c.scheme, c.port
	h.Aliases = c.aliases
	if h.Server.Name == "" {
		h.Server.Name = main
	} else {
		h.Names = append(h.Names, strings.ToLower(strings.TrimSuffix(h.Server.Name, ".")))
	}
	for _, n := range c.aliases {
		h.Names = append(h.Names, strings.ToLower(n))
	}
}

// ownName is the name of a main server without ServerName: the machine's full name when it can be
// found, else its first address as httpd says with AH00558.
func ownName(st *site.Site) string {
	name, err := os.Hostname()
	if err == nil && strings.Contains(name, ".") {
		return name
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if full, err := net.DefaultResolver.LookupCNAME(ctx, name); err == nil && strings.Contains(strings.TrimSuffix(full, "."), ".") {
		return strings.TrimSuffix(full, ".")
	}
	const guess = "127.0.0.1"
	st.Warn("", exchange.Alert, "AH00558: "+apacheconf.Program()+": Could not reliably determine the server's fully qualified domain name, using "+guess+". Set the 'ServerName' directive globally to suppress this message")
	return guess
}

// openHost checks the ports of <VirtualHost> and gives it the main server's limits; names are looked up when
// the site is built.
func openHost(s *directive.Scope, a directive.Args) (*directive.Scope, error) {
	child, err := directive.OpenSection(s, a)
	if err != nil {
		return nil, err
	}
	for _, word := range apacheconf.Words(child.Arg) {
		if _, _, err := splitAddress(word); err != nil {
			return nil, err
		}
	}
	servers.In(child).requestLimits = servers.In(s).requestLimits
	return child, nil
}

// addresses reads the arguments of <VirtualHost>: *, _default_, ip, host, each with an optional port.
// A name that can't be resolved is passed over with httpd's message (httpd: vhost.c get_addresses).
func addresses(st *site.Site, scope *directive.Scope) []site.Address {
	var out []site.Address
	for _, word := range apacheconf.Words(scope.Arg) {
		if word == "" {
			continue
		}
		host, port, _ := splitAddress(word)
		a := site.Address{Port: port}
		if host == "*" || exchange.EqualFold(host, "_default_") {
			out = append(out, a)
			continue
		}
		if ip, ok := literal(host); ok {
			a.IP = ip
			out = append(out, a)
			continue
		}
		ips, err := net.LookupHost(host)
		if err != nil {
			st.Warn("core", exchange.Error, "(EAI 2)Name or service not known: AH00547: Could not resolve host name "+host+" -- ignoring!")
			continue
		}
		for _, text := range ips {
			if ip, err := netip.ParseAddr(text); err == nil {
				out = append(out, site.Address{IP: ip, Port: port})
			}
		}
	}
	return out
}

// literal is an address in figures, IPv6 in brackets or without.
func literal(host string) (ip netip.Addr, ok bool) {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip, true
	}
	return hostname.InFigures(host)
}

var (
	errAddress   = errors.New("The address or port is invalid")
	errNoAddress = errors.New("Missing address for VirtualHost")
)

// splitAddress cuts ":port" off; no port, or ":*", is 0. A colon that no digits follow belongs to the name (httpd: vhost.c
// get_addresses, APR's apr_parse_addr_port).
func splitAddress(word string) (host string, port int, err error) {
	if word == "" {
		return "", 0, nil
	}
	host = strings.TrimSuffix(word, ":*")
	digits := host[len(strings.TrimRight(host, "0123456789")):]
	if name := host[:len(host)-len(digits)]; digits != "" && (name == "" || strings.HasSuffix(name, ":")) {
		if port = directive.Atoi(digits); port < 1 || port > 65535 || name == ":" {
			return "", 0, errAddress
		}
		if host = strings.TrimSuffix(name, ":"); host == "" {
			return "", 0, errNoAddress
		}
	}
	if host == "" {
		return "", 0, errNoAddress
	}
	if host[0] == '[' {
		ip, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		if err != nil || !ip.Is6() || !strings.HasSuffix(host, "]") {
			return "", 0, errAddress
		}
	}
	return host, port, nil
}
