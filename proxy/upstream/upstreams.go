package upstream

import (
	"net/netip"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Upstreams is what the requests of one server, the main one or a virtual host, may be proxied to: its own
// lines, workers and balancers and, in front of them, the main server's. Immutable once it is compiled.
type Upstreams struct {
	Host     *site.Host
	Plan     *balancer.Plan
	Workers  []*balancer.Worker       // those without a balancer
	Generic  *balancer.Worker         // for URLs that none of them covers; httpd's "proxy:reverse"
	Relative func(file string) string // the full path of a unix socket's file name
	Settings ServerSettings
	routes   []*route // the lines outside of sections, in the order in which they are tried
}

// ServerSettings is what a server's directives say about its requests.
type ServerSettings struct {
	Via         ViaMode
	MaxForwards int64         // ProxyMaxForwards; -1 for none
	Timeout     time.Duration // of each read from and write to a member
	BadHeader   backend.BadHeader
	Source      netip.Addr // ProxySourceAddress; invalid for any
	Blocked     []BlockedHost
}

// ViaMode is ProxyVia.
type ViaMode uint8

const (
	ViaOff ViaMode = iota
	ViaOn
	ViaFull
	ViaBlock
)

// SectionSettings is what the sections that apply to a request say together.
type SectionSettings struct {
	PreserveHost, AddHeaders, Continue100 bool
	Interpolate                           bool  // ProxyPassInterpolateEnv
	Override                              bool  // ProxyErrorOverride
	OverrideCodes                         []int // none: 400 to 599
	Reverse, CookiePaths, CookieDomains   []Rewrite
	Pass                                  *Line        // the ProxyPass of the innermost <Location> that has one; nil for none
	TLS                                   *backend.TLS // towards members; nil for none
}

// Compile prepares the lines outside of sections. It is called once, before anything else.
func (u *Upstreams) Compile(lines []*Line) {
	u.routes = make([]*route, 0, len(lines))
	for _, l := range lines {
		u.routes = append(u.routes, u.compile(l))
	}
}

// AddTo gives a plan the steps that map a request, and the handler that takes it to a member through b.
func (u *Upstreams) AddTo(p *site.Plan, s *SectionSettings, b backend.Backend) {
	m := mapper{interpolate: s.Interpolate}
	if s.Pass != nil {
		m.routes = append(m.routes, u.compile(s.Pass))
	}
	m.routes = append(m.routes, u.routes...)
	m.steps(p)
	p.HandlerFor(handlerName, u.handler(s, b))
}

func (u *Upstreams) handler(s *SectionSettings, b backend.Backend) *handler {
	set := &u.Settings
	h := &handler{
		upstreams: u,
		backend:   b,
		forwarder: forwarder{
			via: set.Via, maxForwards: set.MaxForwards,
			preserveHost: s.PreserveHost, addHeaders: s.AddHeaders, continue100: s.Continue100,
		},
		reverser: newReverser(s, u),
		override: override{on: s.Override, codes: s.OverrideCodes},
		call:     backend.Call{Timeout: set.Timeout, BadHeader: set.BadHeader, Source: set.Source, TLS: s.TLS},
	}
	if v := h.forwarder.via; v == ViaOn || v == ViaFull {
		h.call.Via = h.forwarder.viaText
	}
	if h.override.on {
		h.call.GivesUp = h.override.wants
	}
	return h
}

// balancer finds a balancer by its URL; nil for none.
func (u *Upstreams) balancer(url string) *balancer.Balancer {
	return u.Plan.Balancer(u.Host.Server.ID, url)
}

var _ exchange.Handler = (*handler)(nil)
