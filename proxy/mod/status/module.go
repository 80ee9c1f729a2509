package status

import (
	"html/template"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/site"
	"balancerd/proxy/snapshot"
)

// Module is mod_status, where it is loaded. It has no directives of its own: ExtendedStatus and SeeRequestTail are the
// core's, ProxyStatus is mod_proxy's.
func Module(o Options) site.Module {
	return site.Module{Name: "status", Reads: []string{}, Open: func(c *directive.Config, s *site.Site) (site.Builder, error) {
		if !c.Loaded("mod_status.c") {
			return nil, nil
		}
		h := New(o.of(s))
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("server-status", h)
			p.HandlerFor("application/x-httpd-status", h) // its old name, by AddType
			return nil
		}, nil
	}}
}

// For makes the options of a page about a server and its balancers. version and built are what the page says of the
// program: "Apache/2.4.71 (Unix)", "2026-11-12T08:58:41".
func For(from *snapshot.Source, version, built string) Options {
	return Options{
		Snapshot: from.Take, Proxy: members(from),
		Version: func(*exchange.Exchange) string { return version }, Built: built,
	}
}

// members are the balancers of the request's virtual host, where ProxyStatus is On.
func members(from *snapshot.Source) func(*exchange.Exchange) []snapshot.Balancer {
	return func(x *exchange.Exchange) []snapshot.Balancer {
		if !proxy.FactsOf(site.HostOf(x).Scope).Status {
			return nil
		}
		return from.Balancers(x.Server.ID)
	}
}

// of completes the options by what a site's own settings say.
func (o Options) of(s *site.Site) Options {
	if o.Version == nil {
		o.Version = func(*exchange.Exchange) string { return s.Settings.Token }
	}
	if o.Extended == nil {
		o.Extended = func(*exchange.Exchange) bool { return s.Settings.ExtendedStatus }
	}
	if o.Signature == nil {
		o.Signature = func(x *exchange.Exchange) template.HTML { return template.HTML(site.Signature(x, "<hr />\n")) }
	}
	return o
}
