package scgi

import (
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/scgi"
	"balancerd/proxy/site"
)

// settings is what a scope says: fields of an answer, "" for none (httpd: mod_proxy_scgi.c scgi_config).
type settings struct{ sendfile, redirect directive.Opt[string] }

var dirs = directive.NewKey("proxy_scgi", func(outer, inner settings) settings {
	return settings{inner.sendfile.Over(outer.sendfile), inner.redirect.Over(outer.redirect)}
})

// Module is mod_proxy_scgi.
func Module() site.Module {
	return site.Module{Name: "proxy_scgi", Open: open, Reads: []string{"proxy_scgi"}, Table: directive.Table{
		{Name: "ProxySCGISendfile", Set: field("X-Sendfile", func(s *settings) *directive.Opt[string] { return &s.sendfile }), Help: "an SCGI member may name a file that is sent: On, Off, or the field that names it"},
		{Name: "ProxySCGIInternalRedirect", Set: field("Location", func(s *settings) *directive.Opt[string] { return &s.redirect }), Help: "an SCGI member may name a path that is served: On, Off, or the field that names it"},
	}}
}

// field sets the name of a field: usual for On, none for Off.
func field(usual string, of func(*settings) *directive.Opt[string]) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		name := a.Words[0]
		switch strings.ToLower(name) {
		case "on":
			name = usual
		case "off":
			name = ""
		}
		of(dirs.In(s)).Set(name)
		return nil
	}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_proxy_scgi.c") {
		return nil, nil
	}
	return build, nil
}

// pathInfo is the variable that has all of the member's path be PATH_INFO.
const pathInfo = "proxy-scgi-pathinfo"

// build has each request carry what its sections say (httpd: the canon handler, which fixups call, has the variable).
func build(chain []*directive.Scope, p *site.Plan) error {
	m := dirs.Merged(chain...)
	s := &scgi.Settings{Sendfile: m.sendfile.Or(""), Redirect: m.redirect.Or(scgi.Default.Redirect)}
	p.Add(site.Fixup, pathInfo, func(_ context.Context, x *exchange.Exchange) error {
		x.State[exchange.StateSCGI] = s
		if x.Env.Has(pathInfo) {
			x.State[exchange.StateSCGI] = &scgi.Chosen{Settings: s, PathInfo: true}
		}
		return nil
	})
	return nil
}
