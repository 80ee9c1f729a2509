package alias

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_alias. In the modules' list it stands behind the proxy, whose mapping goes first, and
// before package static, which completes what Alias mapped.
func Module() site.Module {
	return site.Module{Name: "alias", Table: table, Open: open, Reads: []string{"mod_alias", "mod_alias server"}, Maps: []string{"mod_alias"}}
}

var table = directive.Table{
	{Name: "Redirect", Set: setRedirect(302, false), Help: "send the client elsewhere"},
	{Name: "RedirectTemp", Set: setRedirect(302, false), Help: "Redirect with status 302"},
	{Name: "RedirectPermanent", Set: setRedirect(301, false), Help: "Redirect with status 301"},
	{Name: "RedirectMatch", Set: setRedirect(302, true), Help: "Redirect by a regular expression"},
	{Name: "RedirectRelative", Set: setRelative, Help: "send local targets as they are"},
	{Name: "Alias", Set: setAlias(""), Help: "serve a path from a folder or file"},
	{Name: "AliasMatch", Set: setAliasMatch(""), Help: "Alias by a regular expression"},
	{Name: "AliasPreservePath", Set: setPreserve, Help: "append the path's rest to an Alias of a <Location>"},
	{Name: "ScriptAlias", Set: setAlias(script), Help: "a folder of scripts", Partial: "no scripts are run; such requests are refused"},
	{Name: "ScriptAliasMatch", Set: setAliasMatch(script), Help: "ScriptAlias by a regular expression", Partial: "no scripts are run; such requests are refused"},
}

// script is the handler's name that ScriptAlias sets.
const script = "cgi-script"

func open(_ *directive.Config, s *site.Site) (site.Builder, error) {
	return func(chain []*directive.Scope, p *site.Plan) error {
		build(chain, s.Settings.ServerRoot, p)
		return nil
	}, nil
}

func build(chain []*directive.Scope, root string, p *site.Plan) {
	d, srv := dirs.Merged(chain...), servers.Merged(chain...)
	relative := d.relative.Or(false)
	before := &redirects{d.redirect, srv.redirects, relative, "AH00674", "AH00673"}
	if !before.empty() {
		p.Add(site.Translate, "Redirect", before.step)
	}
	files := &aliases{d.alias, d.preserve.Or(false), srv.aliases, root}
	if !files.empty() {
		p.Add(site.Translate, "Alias", files.step)
		p.HandlerFor(script, exchange.HandlerFunc(refuseScript))
	}
	late := &redirects{d.redirect, d.redirects, relative, "AH00676", "AH00675"}
	if !late.empty() {
		p.Add(site.Fixup, "Redirect", late.step)
	}
}

// refuseScript keeps a script's text from being sent as a file.
func refuseScript(_ context.Context, x *exchange.Exchange) error {
	x.Log("alias", exchange.Error, nil, x.Arena.Join("client denied by server configuration: ", x.Filename, " (this server runs no scripts)"))
	return exchange.Status(403)
}
