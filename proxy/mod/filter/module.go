package filter

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Core is the core's directives that name filters. Its place is in front of all modules that insert filters by
// themselves.
func Core() site.Module {
	return site.Module{Name: "core", Open: openCore, Reads: []string{"core filters"}, Table: directive.Table{
		{Name: "SetOutputFilter", Set: setOutput, Help: "filters for answers, with ; between them"},
		{Name: "SetInputFilter", Set: setInput, Help: "filters for request bodies, with ; between them"},
	}}
}

// Module is mod_filter.
func Module() site.Module {
	return site.Module{Name: "filter", Open: open, Reads: []string{"filter"}, Table: directive.Table{
		{Name: "FilterDeclare", Set: setDeclare, Help: "a filter that chooses among others, and its place"},
		{Name: "FilterProvider", Set: setProvider, Help: "a choice of such a filter, by an expression"},
		{Name: "FilterChain", Set: setChain, Help: "which such filters are used: + - @ = !"},
		{Name: "FilterProtocol", Set: setProtocol, Help: "what such a filter does to a head"},
		{Name: "FilterTrace", Set: setTrace, Help: "tell each answer that such a filter gets"},
		{Name: "AddOutputFilterByType", Set: setByType, Help: "filters by media type"},
	}}
}

func openCore(c *directive.Config, _ *site.Site) (site.Builder, error) {
	absent := c.AbsentFilters()
	return func(chain []*directive.Scope, p *site.Plan) error {
		for _, f := range absent {
			p.OutputFor(exchange.Filter{Name: f.Name, Kind: exchange.FilterKind(f.Kind), Do: pass})
			if f.Input {
				p.InputFor(exchange.Filter{Name: f.Name, Kind: exchange.FilterKind(f.Kind), Do: pass})
			}
		}
		m := named.Merged(chain...)
		for _, name := range m.output {
			p.AddOutput(name)
		}
		for _, name := range m.input {
			p.AddInput(name)
		}
		return nil
	}, nil
}

// pass is a filter that is not here: a hint has said so.
func pass(context.Context, *exchange.Exchange) error { return nil }

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_filter.c") {
		return nil, nil
	}
	return build, nil
}
