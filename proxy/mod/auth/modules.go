package auth

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Modules are mod_authz_core, mod_authz_host, mod_authz_user, mod_authz_groupfile, mod_access_compat,
// mod_authn_core, mod_auth_basic and mod_authn_file. One of them, mod_authz_core, does the asking for all.
func Modules() []site.Module {
	return []site.Module{
		{Name: "authz_host"},
		{Name: "authz_user"},
		{Name: "authz_groupfile", Table: directive.Table{
			{Name: "AuthGroupFile", Set: setGroupFile, Help: "the file of groups"},
		}},
		{Name: "access_compat", Table: accessTable},
		{Name: "authn_core", Table: directive.Table{
			{Name: "AuthType", Set: setAuthType, Help: "how users say who they are: Basic, None"},
			{Name: "AuthName", Set: setAuthName, Help: "what the browser calls the place"},
			{Name: "<AuthnProviderAlias", Open: openAlias, Close: closeAuthn, Help: "a provider of passwords with settings of its own"},
		}},
		{Name: "authn_file", Table: directive.Table{
			{Name: "AuthUserFile", Set: setUserFile, Help: "the file of users and passwords: bcrypt, apr1, SHA, crypt"},
		}},
		{Name: "auth_basic", Table: basicTable},
		{Name: "authz_core", Table: requireTable, Open: open, Reads: []string{"mod_authz_core", "mod_access_compat", "mod_auth_basic", "mod_authn_file", "core-dir"}},
	}
}

var requireTable = directive.Table{
	{Name: "Require", Set: setRequire, Help: "who may come in: all, env, method, expr, ip, host, forward-dns, local, user, valid-user, group"},
	{Name: "<RequireAll", Open: openGroup(true, false), Close: closeGroup, Help: "all of these"},
	{Name: "<RequireAny", Open: openGroup(false, false), Close: closeGroup, Help: "one of these"},
	{Name: "<RequireNone", Open: openGroup(false, true), Close: closeGroup, Help: "none of these"},
	{Name: "AuthMerging", Set: setMerging, Help: "how a section's rules join those outside: Off, And, Or"},
	{Name: "AuthzSendForbiddenOnFailure", Set: setForbidden, Help: "403 in place of 401 for users who may not"},
	{Name: "<AuthzProviderAlias", Open: openAlias, Close: closeAuthz, Help: "a Require with a name"},
}

var accessTable = directive.Table{
	{Name: "Order", Set: setOrder, Help: "whether Allow or Deny has the last word"},
	{Name: "Allow", Set: setAccess(func(a *accessSettings) *[]source { return &a.allow }), Help: "from these addresses"},
	{Name: "Deny", Set: setAccess(func(a *accessSettings) *[]source { return &a.deny }), Help: "from these addresses"},
	{Name: "Satisfy", Set: setSatisfy, Help: "whether both Allow and Require must let in, or either"},
}

var basicTable = directive.Table{
	{Name: "AuthBasicProvider", Set: setSource, Help: "where passwords come from: file, or an alias"},
	{Name: "AuthBasicAuthoritative", Set: setAuthoritative, Help: "whether an unknown user is turned away"},
	{Name: "AuthBasicFake", Set: setFake, Help: "a name and password for the member"},
	{Name: "AuthBasicUseDigestAlgorithm", Set: setDigest, Help: "the file holds digests of user:realm:password"},
}

// sayOpen tells LogLevel debug that nobody asked for anything.
func sayOpen(_ context.Context, x *exchange.Exchange) error {
	x.Log("authz_core", exchange.Debug, nil, "AH01628: authorization result: granted (no directives)")
	return nil
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if err := checkRules(c); err != nil {
		return nil, err
	}
	names, passwords, files := newNames(), sharedPasswords(), newFiles()
	return func(chain []*directive.Scope, p *site.Plan) error {
		debug := p.Local != nil && p.Local.Levels.Of("authz_core") >= exchange.Debug
		if g := newGate(chain, names, passwords, files, debug); g != nil {
			p.Add(site.Access, "Require", g.step)
		} else if debug {
			p.Add(site.Access, "Require", sayOpen)
		}
		if f := logins.Merged(chain...).fake.Or(fake{}); f.user != nil {
			p.Add(site.Fixup, "AuthBasicFake", f.step)
		}
		return nil
	}, nil
}
