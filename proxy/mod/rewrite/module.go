package rewrite

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_rewrite. In the modules' list it stands in front of whatever else maps a path, or says something in
// the Fixup phase.
func Module() site.Module {
	return site.Module{Name: "rewrite", Table: table, Open: open, Reads: []string{serverKey, dirKey}, Maps: []string{dirKey}}
}

// Last is mod_rewrite's last word, behind all that names types and handlers. The status of a redirect that was taken back is
// there before any field of the answer is made.
func Last() site.Module {
	return site.Module{Name: "rewrite", Reads: []string{serverKey, dirKey}, Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(chain []*directive.Scope, p *site.Plan) error {
			if dirs.Merged(chain...).state.Or(false) {
				p.Add(site.Fixup, "RewriteRule", forceStep)
				p.AddFirst(site.Insert, "RewriteRule", forceStep)
				p.AddFirst(site.Reply, "RewriteRule", statusStep)
			}
			return nil
		}, nil
	}}
}

var table = directive.Table{
	{Name: "RewriteEngine", Set: setEngine, Help: "whether rules are applied"},
	{Name: "RewriteOptions", Set: setOptions, Help: "what is inherited, and what rules may do"},
	{Name: "RewriteBase", Set: setBase, Help: "the path that stands for a section's folder"},
	{Name: "RewriteCond", Set: setCond, Help: "a text, what it is held against, flags: a condition of the rule that follows"},
	{Name: "RewriteRule", Set: setRule, Help: "a pattern for the path, what takes its place, flags"},
	{Name: "RewriteMap", Set: setMap, File: directive.LooksAtMap, Help: "a name for a table, a function or a program that rules may ask"},
}

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	if err := openMaps(s); err != nil {
		return nil, err
	}
	proxied := c.Loaded("mod_proxy.c")
	return func(chain []*directive.Scope, p *site.Plan) error {
		build(chain, p, proxied)
		return nil
	}, nil
}

// build adds the rules of the servers in the chain, and of the innermost section that says something of rewriting.
func build(chain []*directive.Scope, p *site.Plan, proxied bool) {
	d := dirs.Merged(chain...)
	if !d.state.Or(false) {
		return
	}
	n := 0
	for n < len(chain) && isServer(chain[n]) {
		n++
	}
	srv := servers.Merged(chain[:n]...)
	e := &engine{rules: srv.rules, maps: srv.maps, options: srv.options.Or(0), anyURI: d.options.Or(0)&allowAnyURI != 0, proxied: proxied, main: n < 2 || !servers.Has(chain[1])}
	p.Add(site.Translate, "RewriteRule", e.step)
	if d.prefix != "" {
		s := &section{rules: d.rules, maps: srv.maps, prefix: d.prefix, base: d.base, options: d.options.Or(0), server: srv.options.Or(0), proxied: proxied}
		p.Add(site.Fixup, "RewriteRule", s.step)
		p.HandlerFor(exchange.RedirectHandler, exchange.HandlerFunc(follow))
	}
}
