package alias

import (
	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// rule is one line of Redirect, RedirectMatch, Alias or AliasMatch.
type rule struct {
	prefix  string           // "" with a pattern; "" without one never matches
	pattern *pattern.Pattern // RedirectMatch, AliasMatch
	to      string           // URL or file; "" for a status without one
	root    string           // of an Alias: to, as an absolute name
	status  int              // of a redirect
	handler string           // ScriptAlias
	pos     apacheconf.Pos
}

// serverSettings are the lines outside sections, in the order of the file.
type serverSettings struct{ aliases, redirects []rule }

var servers = directive.NewKey[serverSettings]("mod_alias server", func(outer, inner serverSettings) serverSettings {
	return serverSettings{aliases: after(inner.aliases, outer.aliases), redirects: after(inner.redirects, outer.redirects)}
})

// dirSettings is what a section says (httpd: mod_alias.c alias_dir_conf).
type dirSettings struct {
	redirects []rule
	redirect  redirect
	alias     aliasTo
	relative  directive.Opt[bool] // RedirectRelative
	preserve  directive.Opt[bool] // AliasPreservePath
}

// redirect is a Redirect that holds for the whole section.
type redirect struct {
	set    bool
	to     *expr.String // nil: a status without a URL
	status int
}

// aliasTo is an Alias with one argument: the whole section is one file or folder.
type aliasTo struct {
	set     bool
	to      *expr.String
	path    string // the section's argument
	handler string
}

var dirs = directive.NewKey[dirSettings]("mod_alias", mergeDirs)

// mergeDirs: what is inside comes first in the lists (httpd: mod_alias.c merge_alias_dir_config).
func mergeDirs(outer, inner dirSettings) dirSettings {
	m := dirSettings{
		redirects: after(inner.redirects, outer.redirects),
		redirect:  inner.redirect,
		alias:     inner.alias,
		relative:  inner.relative.Over(outer.relative),
		preserve:  inner.preserve.Over(outer.preserve),
	}
	if !m.redirect.set {
		m.redirect = outer.redirect
	}
	if !m.alias.set {
		m.alias = outer.alias
	}
	return m
}

// after is the first list and then the second.
func after(first, second []rule) []rule {
	if len(first) == 0 {
		return second
	}
	return append(first[:len(first):len(first)], second...)
}

// match reports whether an exchange's path falls under the rule, and where its rest begins or what its
// groups are. A pattern that gives up does not match, and the exchange knows.
func (r *rule) match(x *exchange.Exchange, loc []int) (rest int, groups []int, ok bool) {
	rest, groups, ok, err := r.covers(x.Req.Path, loc)
	if err != nil {
		x.GiveUp("alias", r.pos.String()+": "+r.pattern.String(), err)
	}
	return rest, groups, ok
}

func (r *rule) covers(path string, loc []int) (rest int, groups []int, ok bool, err error) {
	if r.pattern == nil {
		rest = prefixLen(path, r.prefix)
		return rest, nil, rest > 0, nil
	}
	groups, ok, err = r.pattern.Find(path, loc)
	return 0, groups, ok, err
}

// prefixLen is how much of a path a prefix takes up, 0 for none: it must end where a segment ends, and
// a slash in it stands for any number of them (httpd: mod_alias.c alias_matches).
func prefixLen(path, prefix string) int {
	i, j := 0, 0
	for j < len(prefix) {
		if prefix[j] != '/' {
			if i >= len(path) || path[i] != prefix[j] {
				return 0
			}
			i, j = i+1, j+1
			continue
		}
		if i >= len(path) || path[i] != '/' {
			return 0
		}
		i, j = skipSlashes(path, i), skipSlashes(prefix, j)
	}
	if j > 0 && prefix[j-1] != '/' && i < len(path) && path[i] != '/' {
		return 0
	}
	return i
}

func skipSlashes(s string, i int) int {
	for i < len(s) && s[i] == '/' {
		i++
	}
	return i
}

// inSection reports whether a directive stands in a section, not in a server's own part.
func inSection(s *directive.Scope) bool { return s.Kind != directive.Main && s.Kind != directive.VHost }
