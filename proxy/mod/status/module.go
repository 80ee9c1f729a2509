package status

import (
	"html/template"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
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
func For(farm *balancer.Farm, srv *server.Server, version, built string) Options {
	return Options{
		Scoreboard: Connections(srv), Proxy: Members(farm),
		Version: func(*exchange.Exchange) string { return version }, Built: built,
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
