package dir

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_dir. It stands behind everything that has Fixup steps, as httpd's does: a redirect, or what sets the
// handler, comes before it.
func Module() site.Module {
	return site.Module{Name: "dir", Table: table, Open: open, Reads: []string{"mod_dir"}}
}

var table = directive.Table{
	{Name: "DirectoryIndex", Set: setIndex, Help: "the documents that stand for a directory"},
	{Name: "DirectorySlash", Set: setFlag(func(d *settings) *directive.Opt[bool] { return &d.slash }), Help: "redirect to a directory's name with a slash"},
	{Name: "DirectoryIndexRedirect", Set: setIndexRedirect, Help: "redirect to the index document"},
	{Name: "DirectoryCheckHandler", Set: setFlag(func(d *settings) *directive.Opt[bool] { return &d.checkHandler }), Help: "leave directories with a handler alone"},
	{Name: "FallbackResource", Set: setFallback, Help: "what serves paths that lead to nothing"},
}

// loaded is which of httpd's modules take part.
type loaded struct {
	dir   bool
	index bool // mod_autoindex: a directory without an index is forbidden, else not found
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	l := loaded{dir: c.Loaded("mod_dir.c"), index: c.Loaded("mod_autoindex.c")}
	return func(chain []*directive.Scope, sp *site.Plan) error {
		p := &plan{settings: scopes.Merged(chain...), loaded: l}
		sp.Add(site.Fixup, "DirectoryIndex", p.fixup)
		sp.HandlerFor(directoryHandler, exchange.HandlerFunc(p.list))
		return nil
	}, nil
}
