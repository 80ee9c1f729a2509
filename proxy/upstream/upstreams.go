package upstream

import (
	"net/netip"
	"sync"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Upstreams is what the requests of one server, the main one or a virtual host, may be proxied to: its own
// lines, workers and balancers and, in front of them, the main server's. Immutable once it is compiled, but for what is
// under mu.
type Upstreams struct {
	Host     *site.Host
	Plan     *balancer.Plan
	Workers  []*Workers               // those without a balancer: of the main server, if they are inherited, and its own; two at most
	Generic  *balancer.Worker         // for URLs that none of them covers; httpd's "proxy:reverse"
	Relative func(file string) string // the full path of a unix socket's file name
	Settings ServerSettings
	lines    []lines

	mu      sync.Mutex
	mappers memo[mapperKey, *mapper]      // under mu
	rules   memo[*Rewrite, []reverseRule] // under mu; by the first line of a list
}

// ServerSettings is what a server's directives say about its requests.
type ServerSettings struct {
	Via         ViaMode
	MaxForwards int64         // ProxyMaxForwards; -1 for none
	Timeout     time.Duration // of each read from and write to a member
	BadHeader   backend.BadHeader
	Source      netip.Addr // ProxySourceAddress; invalid for any
	Blocked     []BlockedHost
	Remotes     *Remotes // nil: none
	Forward     *Forward // ProxyRequests On; nil: Off
	Domain      string   // ProxyDomain; "" for none
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
	Interpolate                           bool         // ProxyPassInterpolateEnv
	Override                              bool         // ProxyErrorOverride
	OverrideCodes                         []int        // none: 400 to 599
	Reverse, CookiePaths, CookieDomains   [][]Rewrite  // a list for each section that has lines, outermost first; shared, and known by its first line
	Pass                                  *Line        // the ProxyPass of the innermost <Location> that has one; nil for none
	TLS                                   *backend.TLS // towards members; nil for none
}

// lines is a server's lines with what serves them here.
type lines struct {
	*Lines
	targets []target // of its destinations; one at least
}

// Compile finds what serves the main server's lines and the virtual host's own, in this order. It is called once,
// before anything else.
func (u *Upstreams) Compile(list ...*Lines) {
	u.lines = make([]lines, len(list))
	for i, l := range list {
		targets := make([]target, max(1, len(l.destinations)))
		for k, d := range l.destinations {
			targets[k] = u.target(d)
		}
		u.lines[i] = lines{l, targets}
	}
}

// target is what serves a destination; d may be nil.
func (u *Upstreams) target(d *destination) (t target) {
	switch {
	case d == nil:
	case d.balancer != "":
		t.balancer = u.balancer(d.balancer)
	default:
		t.workers = u.at(d.site)
	}
	return t
}

// mapperKey is what sections say about mapping.
type mapperKey struct {
	own         *Line
	interpolate bool
}

// mapper is the mapper that sections ask for; plans that ask for the same have the same.
func (u *Upstreams) mapper(own *Line, interpolate bool) *mapper {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := mapperKey{own, interpolate}
	m, known := u.mappers.get(key)
	if !known {
		m = u.newMapper(own, interpolate)
		u.mappers.put(key, m)
	}
	return m
}

// AddTo gives a plan the steps that map a request, and the handler that takes it to a member through b. It may be
// called by several goroutines.
func (u *Upstreams) AddTo(p *site.Plan, s *SectionSettings, b backend.Backend) {
	if f := u.Settings.Forward; f != nil {
		p.AddFirst(site.Early, "ProxyRequests", f.detect)
	}
	u.mapper(s.Pass, s.Interpolate).addTo(p)
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
