package status

import (
	"html/template"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_status. It has no directives of its own: ExtendedStatus and SeeRequestTail are the
// core's, ProxyStatus is mod_proxy's.
func Module(o Options) site.Module {
	return site.Module{Name: "status", Open: func(_ *directive.Config, s *site.Site) (site.Builder, error) {
		h := New(o.of(s))
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("server-status", h)
			p.HandlerFor("application/x-httpd-status", h) // its old name, by AddType
			return nil
		}, nil
	}}
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
