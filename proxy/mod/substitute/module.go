package substitute

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_substitute.
func Module() site.Module {
	return site.Module{Name: "substitute", Open: open, Reads: []string{"substitute"}, Table: directive.Table{
		{Name: "Substitute", Set: setRule, Help: "s/from/to/flags"},
		{Name: "SubstituteMaxLineLength", Set: setMost, Help: "how long a line may be"},
		{Name: "SubstituteInheritBefore", Set: setBefore, Help: "rules from outside come first"},
	}}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_substitute.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		m := scopes.Merged(chain...)
		f := &rules{m.rules, m.most.Or(defaultMost)}
		p.OutputFor(exchange.Filter{Name: "SUBSTITUTE", Kind: exchange.Resource, Do: f.do})
		return nil
	}, nil
}
