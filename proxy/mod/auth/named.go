package auth

import (
	"context"
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// named are providers that the configuration gives names to: a provider with settings of its own.
type named struct {
	authz map[string]opener
	users map[string]directive.Opt[string] // AuthUserFile; unset: that of the section that asks
}

var aliases = directive.NewKey[named]("mod_authn_core aliases", func(outer, inner named) named { return inner })

// sourceOf finds a provider of passwords: "file", or an alias of it with a file of its own.
func sourceOf(s *directive.Scope, name string) (own directive.Opt[string], ok bool) {
	if own, ok := aliases.Merged(s.Config.Main).users[name]; ok {
		return own, true
	}
	return directive.Opt[string]{}, name == "file" && s.Config.Loaded("mod_authn_file.c")
}

// alias is an <AuthzProviderAlias> or <AuthnProviderAlias> while its contents are read.
type alias struct {
	base, name, args string
	outside          kept
}

// kept is what the main server had before such a section: in there its places hold the section's.
type kept struct {
	files  fileSettings
	login  loginSettings
	access accessSettings
	rules  requireSettings
}

// swap gives a scope other settings and returns those that it had.
func swap(s *directive.Scope, with kept) kept {
	f, l, a, r := fileNames.In(s), logins.In(s), accesses.In(s), requires.In(s)
	had := kept{*f, *l, *a, *r}
	*f, *l, *a, *r = with.files, with.login, with.access, with.rules
	return had
}

// openAlias begins either section. What stands inside is kept apart in closeAlias: a view shares its
// settings with the scope around it.
func openAlias(s *directive.Scope, a directive.Args) (*directive.Scope, error) {
	if err := a.Forbid(s, directive.VHost|directive.Limit|directive.Dir); err != nil {
		return nil, err
	}
	text, err := directive.Argument(a)
	if err != nil {
		return nil, err
	}
	w := append(apacheconf.Words(text), "", "", "", "")
	if w[0] == "" || w[1] == "" {
		return nil, errors.New(a.Name + "> directive requires additional arguments")
	}
	if w[3] != "" {
		s.Config.Warn(a.Pos, "authz_core", "AH10142: When several arguments ("+w[2]+" "+w[3]+"...) are passed to a "+a.Name+
			" directive, they must be enclosed in quotation marks.  Otherwise, only the first one is taken into account")
	}
	v := s.View(a.Name[1:])
	v.Kind = directive.Directory // what is allowed in a section is allowed here
	v.Group = &alias{base: w[0], name: w[1], args: w[2], outside: swap(s, kept{})}
	return v, nil
}

// closeAuthz (httpd: mod_authz_core.c authz_require_alias_section).
func closeAuthz(v *directive.Scope, _ directive.Args) error {
	al := v.Group.(*alias)
	own := swap(v, al.outside).files // of all that may stand inside, only the files matter
	open, ok := providerOf(v, al.base)
	if !ok {
		return errors.New("Unknown Authz provider: " + al.base)
	}
	c, fixed, err := open(v, al.args)
	if err != nil {
		return errors.New("Can't parse 'Require " + al.base + " " + al.args + "': " + err.Error())
	}
	if groups, set := own.groups.Get(); set {
		c = withGroups(c, groups)
	}
	n := aliases.In(v.Config.Main)
	if n.authz == nil {
		n.authz = map[string]opener{}
	}
	n.authz[al.name] = func(*directive.Scope, string) (check, verdict, error) { return c, fixed, nil }
	return nil
}

// withGroups asks with another group file.
func withGroups(c check, file string) check {
	return func(ctx context.Context, x *exchange.Exchange, g *gate) verdict {
		own := *g
		own.groups = file
		return c(ctx, x, &own)
	}
}

// closeAuthn (httpd: mod_authn_core.c authaliassection).
func closeAuthn(v *directive.Scope, _ directive.Args) error {
	al := v.Group.(*alias)
	own := swap(v, al.outside).files
	if strings.EqualFold(al.base, al.name) {
		return errors.New("The alias provider name must be different from the base provider name.")
	}
	if _, taken := sourceOf(v, al.name); taken {
		return errors.New("The alias provider " + al.name + " has already be registered previously as either a base provider or an alias provider.")
	}
	base, ok := sourceOf(v, al.base)
	if !ok {
		return errors.New("Unknown Authn provider: " + al.base)
	}
	n := aliases.In(v.Config.Main)
	if n.users == nil {
		n.users = map[string]directive.Opt[string]{}
	}
	n.users[al.name] = own.users.Over(base)
	return nil
}
