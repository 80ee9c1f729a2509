package uniqueid

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_unique_id, where that is loaded.
func Module() site.Module {
	return site.Module{Name: "unique_id", Open: open, Reads: []string{}}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_unique_id.c") {
		return nil, nil
	}
	g := newGenerator()
	return func(_ []*directive.Scope, p *site.Plan) error {
		p.Add(site.Early, "unique_id", g.step)
		return nil
	}, nil
}

// step names the request; after an internal redirect it has its name still (httpd: mod_unique_id.c set_unique_id).
func (g *generator) step(_ context.Context, x *exchange.Exchange) error {
	if x.UniqueID == "" {
		x.UniqueID = g.next(x)
	}
	x.Env.Set("UNIQUE_ID", x.UniqueID)
	return nil
}
