package fcgi

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/fcgi"
	"balancerd/proxy/site"
)

// Module is mod_proxy_fcgi. Where it is not loaded no directive of it can stand.
func Module() site.Module {
	return site.Module{Name: "proxy_fcgi", Open: open, Reads: []string{"proxy_fcgi"}, Table: directive.Table{
		{Name: "ProxyFCGIBackendType", Set: setType, Help: "what FastCGI members are: FPM or GENERIC"},
		{Name: "ProxyFCGISetEnvIf", Set: setEdit, Help: "an expression, and a variable that FastCGI members get, or do not, where it holds"},
	}}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_proxy_fcgi.c") {
		return nil, nil
	}
	return build, nil
}

// pathInfo is the variable that has PATH_INFO guessed.
const pathInfo = "proxy-fcgi-pathinfo"

// build has each request carry what its sections say (httpd: the canon handler, which fixups call, has the variable).
func build(chain []*directive.Scope, p *site.Plan) error {
	s := dirs.Merged(chain...).compiled()
	p.Add(site.Fixup, pathInfo, func(_ context.Context, x *exchange.Exchange) error {
		x.State[exchange.StateFCGI] = s
		if kind, ok := x.Env.Get(pathInfo); ok {
			x.State[exchange.StateFCGI] = &fcgi.Chosen{Settings: s, PathInfo: kind}
		}
		return nil
	})
	return nil
}
