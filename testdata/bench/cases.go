package main

import (
	"fmt"
	"slices"
	"strings"
)

// kind is how a case is measured.
type kind int

const (
	loaded kind = iota // by wrk
	idling             // memory under idle clients
	picks              // go test -bench
)

// one is one case.
type one struct {
	name, title string
	kind        kind
	variant     variant // which of a server's ports
	path        string
	clients     int
	script      string // a Lua script of conf/ for wrk
	fields      []string
	feature     bool     // compared with case a of the same server
	servers     []string // who can it, by name; nil: all. Builds of balancerd can all
}

// variant is a way into a server: each is a port with a configuration of its own.
type variant int

const (
	plain variant = iota
	tlsPort
	located
	edited
	sticky
	logged
	everything
	spoken // members of other protocols
	variants
)

const (
	cookie = "Cookie: theme=dark; ROUTEID=.r1"
	once   = "Connection: close"
)

// withFastCGI are peers that speak FastCGI, SCGI and uwsgi; haproxy, which has the first, is not set up for it here.
var withFastCGI = []string{"nginx", "httpd"}

// can reports whether a server takes part in a case.
func (c *one) can(s *server) bool {
	return c.servers == nil || s.conf == ownConf || slices.Contains(c.servers, s.name)
}

// cases are what can be measured, in the order in which it is: memory first, on servers that did nothing yet.
var cases = []one{
	{name: "f", title: "memory, 5,000 idle clients", kind: idling, path: "/1k"},
	{name: "a", title: "1 KiB GET, kept connections, 64 clients", path: "/1k", clients: 64},
	{name: "b", title: "100 KiB GET, 64 clients", path: "/100k", clients: 64},
	{name: "c", title: "POST 16 KiB, 64 clients", path: "/post", clients: 64, script: "post.lua"},
	{name: "d", title: "connection per request, 64 clients", path: "/1k", clients: 64, fields: []string{once}},
	{name: "e", title: "1 MiB GET, 16 clients", path: "/1m", clients: 16},
	{name: "t", title: "TLS, 1 KiB GET, kept connections, 64 clients", variant: tlsPort, path: "/1k", clients: 64},
	{name: "h", title: "TLS handshake per request (ECDSA P-256), 64 clients", variant: tlsPort, path: "/1k", clients: 64, fields: []string{once}},
	{name: "half", title: "1 KiB GET at half load: 64 clients that pause 2 ms", path: "/1k", clients: 64, script: "pause.lua"},
	{name: "location", title: "1 KiB GET with ten <Location> sections", variant: located, path: "/1k", clients: 64, feature: true},
	{name: "header", title: "1 KiB GET with five Header and RequestHeader lines", variant: edited, path: "/1k", clients: 64, feature: true},
	{name: "sticky", title: "1 KiB GET with sticky sessions, the cookie sent", variant: sticky, path: "/1k", clients: 64, fields: []string{cookie}, feature: true},
	{name: "log", title: "1 KiB GET with a combined access log", variant: logged, path: "/1k", clients: 64, feature: true},
	{name: "all", title: "1 KiB GET with all of these", variant: everything, path: "/1k", clients: 64, fields: []string{cookie}, feature: true},
	{name: "fcgi", title: "1 KiB GET from a FastCGI member, connections kept", variant: spoken, path: "/fcgi/1k", clients: 16, servers: withFastCGI},
	{name: "fcginew", title: "the same, a connection a request", variant: spoken, path: "/fcginew/1k", clients: 16, servers: withFastCGI},
	{name: "ajp", title: "1 KiB GET from an AJP member", variant: spoken, path: "/ajp/1k", clients: 16, servers: []string{"httpd"}},
	{name: "scgi", title: "1 KiB GET from an SCGI member", variant: spoken, path: "/scgi/1k", clients: 16, servers: withFastCGI},
	{name: "uwsgi", title: "1 KiB GET from a uwsgi member", variant: spoken, path: "/uwsgi/1k", clients: 16, servers: withFastCGI},
	{name: "pick", title: "a balancer's pick alone (go test -bench)", kind: picks},
}

func caseOf(name string) *one {
	for i := range cases {
		if cases[i].name == name {
			return &cases[i]
		}
	}
	return nil
}

// choose is the named cases in the order of the table; all without names.
func choose(names []string) ([]*one, error) {
	var out []*one
	for _, n := range names {
		if caseOf(n) == nil {
			return nil, fmt.Errorf("no case %q; there are %s", n, strings.Join(caseNames(), " "))
		}
	}
	for i := range cases {
		if len(names) == 0 || slices.Contains(names, cases[i].name) {
			out = append(out, &cases[i])
		}
	}
	return out, nil
}

func caseNames() (names []string) {
	for _, c := range cases {
		names = append(names, c.name)
	}
	return names
}
