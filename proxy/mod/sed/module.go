package sed

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_sed.
func Module() site.Module {
	return site.Module{Name: "sed", Open: open, Reads: []string{"sed"}, Table: directive.Table{
		{Name: "OutputSed", Set: setScript(func(s *settings) *script { return &s.answers }), Help: "commands of sed for answers: s/from/to/g"},
		{Name: "InputSed", Set: setScript(func(s *settings) *script { return &s.requests }), Help: "commands of sed for request bodies"},
	}}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_sed.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		m := scopes.Merged(chain...)
		p.OutputFor(exchange.Filter{Name: "Sed", Kind: exchange.Resource, Do: m.answers.answer})
		p.InputFor(exchange.Filter{Name: "Sed", Kind: exchange.Resource, Do: m.requests.request})
		return nil
	}, nil
}
