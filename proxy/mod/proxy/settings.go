package proxy

import (
	"balancerd/apacheconf"
	"net/netip"
	"slices"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/backend"
	"balancerd/proxy/site"
	"balancerd/proxy/upstream"
)

// serverSettings is what the main server or a virtual host says about proxying (httpd:
// proxy_server_conf). Unset fields come from the main server, but for persist; a field marked append
// adds to the main server's.
type serverSettings struct {
	forward       directive.Opt[bool] // ProxyRequests
	via           directive.Opt[upstream.ViaMode]
	timeout       directive.Opt[time.Duration]
	ioBuffer      directive.Opt[int]
	receiveBuffer directive.Opt[int]
	badHeader     directive.Opt[backend.BadHeader]
	maxForwards   directive.Opt[int64]
	status        directive.Opt[statusMode]
	growth        directive.Opt[int]
	inherit       directive.Opt[bool] // BalancerInherit
	inheritPass   directive.Opt[bool] // ProxyPassInherit
	persist       bool
	sourceAddress directive.Opt[netip.Addr]
	blocked       []upstream.BlockedHost // append
	remotes       []upstream.RemoteFor   // append
	direct        []upstream.DirectHost  // append
	domain        directive.Opt[string]  // ProxyDomain
	ports         []upstream.PortRange   // AllowCONNECT; append
	opened        apacheconf.Pos         // of ProxyRequests
}

// statusMode is ProxyStatus.
type statusMode uint8

const (
	statusOff statusMode = iota
	statusOn
	statusFull
)

var servers = directive.NewKey[serverSettings]("mod_proxy", mergeServers)

func mergeServers(outer, inner serverSettings) serverSettings {
	m := inner
	m.forward = inner.forward.Over(outer.forward)
	m.via = inner.via.Over(outer.via)
	m.timeout = inner.timeout.Over(outer.timeout)
	m.ioBuffer = inner.ioBuffer.Over(outer.ioBuffer)
	m.receiveBuffer = inner.receiveBuffer.Over(outer.receiveBuffer)
	m.badHeader = inner.badHeader.Over(outer.badHeader)
	m.maxForwards = inner.maxForwards.Over(outer.maxForwards)
	m.status = inner.status.Over(outer.status)
	m.growth = inner.growth.Over(outer.growth)
	m.inherit = inner.inherit.Over(outer.inherit)
	m.inheritPass = inner.inheritPass.Over(outer.inheritPass)
	m.sourceAddress = inner.sourceAddress.Over(outer.sourceAddress)
	m.blocked = slices.Concat(outer.blocked, inner.blocked)
	m.remotes = slices.Concat(outer.remotes, inner.remotes)
	m.direct = slices.Concat(outer.direct, inner.direct)
	m.domain = inner.domain.Over(outer.domain)
	m.ports = slices.Concat(outer.ports, inner.ports)
	if inner.opened == (apacheconf.Pos{}) {
		m.opened = outer.opened
	}
	return m
}

// inherits reports whether a virtual host has the main server's workers and balancers too: unless both
// directives are Off (httpd: mod_proxy.c merge_proxy_config).
func (s *serverSettings) inherits() bool { return s.inherit.Or(true) || s.inheritPass.Or(true) }

// requests is what matters to the requests of a server.
func (s *serverSettings) requests(h *site.Host) upstream.ServerSettings {
	return upstream.ServerSettings{
		Remotes: s.ways(), Forward: s.forwards(h), Domain: s.domain.Or(""),
		Via: s.via.Or(upstream.ViaOff), MaxForwards: s.maxForwards.Or(-1), Timeout: s.timeout.Or(h.Server.Timeout),
		BadHeader: s.badHeader.Or(backend.BadHeaderIsError), Source: s.sourceAddress.Or(netip.Addr{}), Blocked: s.blocked,
	}
}

// dirSettings is what a section says (httpd: proxy_dir_conf). Fields marked append add to the outer
// sections'.
type dirSettings struct {
	preserveHost  directive.Opt[bool]
	addHeaders    directive.Opt[bool]
	continue100   directive.Opt[bool]
	interpolate   directive.Opt[bool]
	override      directive.Opt[bool]
	overrideCodes []int          // append
	reverse       rewrites       // append
	cookiePaths   rewrites       // append
	cookieDomains rewrites       // append
	pass          *upstream.Line // the ProxyPass of a <Location>: the innermost one holds
}

// rewrites is the lines of sections, outermost first: those of one section are a list of their own, which all
// chains with the section share.
type rewrites [][]upstream.Rewrite

// add adds a line to the section's own.
func (r *rewrites) add(w upstream.Rewrite) {
	if len(*r) == 0 {
		*r = rewrites{nil}
	}
	(*r)[0] = append((*r)[0], w)
}

var dirs = directive.NewKey[dirSettings]("mod_proxy-dir", mergeDirs)

func mergeDirs(outer, inner dirSettings) dirSettings {
	m := inner
	m.preserveHost = inner.preserveHost.Over(outer.preserveHost)
	m.addHeaders = inner.addHeaders.Over(outer.addHeaders)
	m.continue100 = inner.continue100.Over(outer.continue100)
	m.interpolate = inner.interpolate.Over(outer.interpolate)
	m.override = inner.override.Over(outer.override)
	m.overrideCodes = slices.Concat(outer.overrideCodes, inner.overrideCodes)
	m.reverse = slices.Concat(outer.reverse, inner.reverse)
	m.cookiePaths = slices.Concat(outer.cookiePaths, inner.cookiePaths)
	m.cookieDomains = slices.Concat(outer.cookieDomains, inner.cookieDomains)
	if m.pass == nil {
		m.pass = outer.pass
	}
	return m
}

// section is what a chain of sections says to its requests.
func (d *dirSettings) section() upstream.SectionSettings {
	return upstream.SectionSettings{
		PreserveHost: d.preserveHost.Or(false), AddHeaders: d.addHeaders.Or(true), Continue100: d.continue100.Or(true),
		Interpolate: d.interpolate.Or(false), Override: d.override.Or(false), OverrideCodes: d.overrideCodes,
		Reverse: d.reverse, CookiePaths: d.cookiePaths, CookieDomains: d.cookieDomains, Pass: d.pass,
	}
}
