package expires

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_expires.
func Module() site.Module {
	return site.Module{Name: "expires", Open: open, Reads: []string{"expires"}, Table: directive.Table{
		{Name: "ExpiresActive", Set: setActive, Help: "whether dates are given"},
		{Name: "ExpiresByType", Set: setByType, Help: "a media type, and when it expires"},
		{Name: "ExpiresDefault", Set: setDefault, Help: "when all others expire"},
	}}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_expires.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		m := scopes.Merged(chain...)
		if _, some := m.others.Get(); m.active.Or(false) && (some || len(m.types) > 0) {
			p.UseOutput(exchange.Filter{Name: "MOD_EXPIRES", Kind: exchange.ContentSet - 2, Pages: true, Do: m.do})
		}
		return nil
	}, nil
}
