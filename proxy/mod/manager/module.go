package manager

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/manager"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is the handler of mod_proxy_balancer, where that module is loaded.
func Module(farm *balancer.Farm, o manager.Options) site.Module {
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		if !c.Loaded("mod_proxy_balancer.c") {
			return nil, nil
		}
		pages := exchange.FromHTTP(manager.New(farm, o))
		h := exchange.HandlerFunc(func(ctx context.Context, x *exchange.Exchange) error {
			facts := factsOf(st, x)
			if err := x.UnknownMethod(); err != nil {
				x.Res.Header.Set("Allow", facts.Allow())
				return err
			}
			return pages.Serve(manager.WithFacts(ctx, facts), x)
		})
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("balancer-manager", h)
			return nil
		}, nil
	}
	return site.Module{Name: "proxy_balancer", Open: open, Reads: []string{}}
}
