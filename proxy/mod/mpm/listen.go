package mpm

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// listener is one Listen line, kept at the main server.
type listener struct {
	host  string // "" for all addresses
	port  int
	text  string
	proto string
	pos   string
}

// setListen takes [ip:]port [protocol] (httpd: listen.c ap_set_listener).
func setListen(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	if len(a.Words) < 1 || len(a.Words) > 2 {
		return errors.New("Listen requires 1 or 2 arguments.")
	}
	l := listener{text: a.Words[0], pos: a.Pos.File + ":" + strconv.Itoa(a.Pos.Line)}
	host, port, err := parseListen(a.Words[0])
	if err != nil {
		return err
	}
	l.host, l.port = host, port
	l.proto = "http"
	if port == 443 {
		l.proto = "https"
	}
	if len(a.Words) == 2 {
		l.proto = strings.ToLower(a.Words[1])
	}
	if !resolves(host) {
		s.Config.Warnings = append(s.Config.Warnings, apacheconf.Warning{Pos: a.Pos, Module: "core", Level: "crit",
			Msg: "(EAI 2)Name or service not known: AH00077: alloc_listener: failed to set up sockaddr for " + host})
		return errors.New("Listen setup failed")
	}
	p := scopes.In(s.Config.Main)
	for _, other := range p.listen {
		if other.host == l.host && other.port == l.port {
			return errors.New("Cannot define multiple Listeners on the same IP:port")
		}
	}
	p.listen = append(p.listen, l)
	return nil
}

// resolves reports whether a host has an address; none is all addresses.
func resolves(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return true
	}
	_, err := net.LookupHost(host)
	return err == nil
}

func parseListen(word string) (host string, port int, err error) {
	text := word
	if i := strings.LastIndexByte(word, ':'); i >= 0 && !strings.HasSuffix(word, "]") {
		host, text = strings.Trim(word[:i], "[]"), word[i+1:]
	} else if strings.Trim(word, "0123456789") != "" {
		return "", 0, errors.New("Port must be specified")
	}
	if host == "*" {
		host = ""
	}
	port, convErr := strconv.Atoi(text)
	if convErr != nil || port < 1 || port > 65535 {
		return "", 0, errors.New("Invalid address or port")
	}
	return host, port, nil
}

// address is where to bind: a bare port is all addresses of both families.
func (l *listener) address() string {
	if l.host == "" {
		return "[::]:" + strconv.Itoa(l.port)
	}
	if ip, err := netip.ParseAddr(l.host); err == nil && ip.Is6() {
		return "[" + l.host + "]:" + strconv.Itoa(l.port)
	}
	return l.host + ":" + strconv.Itoa(l.port)
}
