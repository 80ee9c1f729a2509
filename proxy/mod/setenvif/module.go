package setenvif

import (
	"context"
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// rules are a scope's directives, in order.
var rules = directive.NewKey("setenvif", func(outer, inner []rule) []rule { return slices.Concat(outer, inner) })

// Module is mod_setenvif.
func Module() site.Module {
	return site.Module{Name: "setenvif", Open: open, Reads: []string{"setenvif"}, Table: directive.Table{
		{Name: "SetEnvIf", Set: setIf, Help: "a field's name, a regular expression, and variables to set"},
		{Name: "SetEnvIfNoCase", Set: setIf, Help: "SetEnvIf without regard to case"},
		{Name: "BrowserMatch", Set: setBrowser, Help: "a regular expression for User-Agent, and variables to set"},
		{Name: "BrowserMatchNoCase", Set: setBrowser, Help: "BrowserMatch without regard to case"},
		{Name: "SetEnvIfExpr", Set: setExpr, Help: "an expression, and variables to set"},
	}}
}

// Modules are mod_setenvif and mod_env.
func Modules() []site.Module { return []site.Module{Module(), Env()} }

func open(*directive.Config, *site.Site) (site.Builder, error) {
	s := &lists{of: map[*directive.Scope]*list{}}
	return s.build, nil
}

// build has the servers' own rules run early and those of sections later, as httpd keeps the two
// apart (httpd: mod_setenvif.c match_headers).
func (s *lists) build(chain []*directive.Scope, p *site.Plan) error {
	n := 0
	for n < len(chain) && chain[n].Kind&directive.Server != 0 {
		n++
	}
	if l := s.server(chain[:n]); l != nil {
		p.Add(site.Early, "SetEnvIf", l.step)
	}
	if inSections := rules.Merged(chain[n:]...); len(inSections) > 0 {
		p.Add(site.Parse, "SetEnvIf", newList(inSections).step)
	}
	return nil
}

func (l *list) step(_ context.Context, x *exchange.Exchange) error {
	l.apply(x)
	return nil
}

func noCase(a directive.Args) bool { return strings.HasSuffix(a.Name, "NoCase") }

func setIf(s *directive.Scope, a directive.Args) error {
	name, rest := apacheconf.Word(a.Raw)
	if name == "" {
		return errors.New("Missing header-field name for " + a.Name)
	}
	return add(s, a, name, rest)
}

func setBrowser(s *directive.Scope, a directive.Args) error { return add(s, a, "User-Agent", a.Raw) }

// add notes a rule for an attribute; rest is the regular expression and the variables.
func add(s *directive.Scope, a directive.Args, name, rest string) error {
	text, rest := apacheconf.Word(rest)
	if text == "" {
		return errors.New("Missing regular expression for " + a.Name)
	}
	r, err := newRule(a.Name, name, text, noCase(a))
	if err != nil {
		return err
	}
	list := rules.In(s)
	if n := len(*list); n > 0 {
		last := &(*list)[n-1]
		r.same = last.cond == nil && exchange.EqualFold(last.name, name)
	}
	return note(list, a, r, rest)
}

func setExpr(s *directive.Scope, a directive.Args) error {
	text, rest := apacheconf.Word(a.Raw)
	if text == "" {
		return errors.New("Missing expression for " + a.Name)
	}
	e, err := expr.Compile(text, expr.Options{File: a.Pos.File, Line: a.Pos.Line, Module: "setenvif", AccessFile: s.Config.InAccessFile(), NoTLS: !s.Config.Loaded("ssl_module")})
	if err != nil {
		return errors.New("Could not parse expression \"" + text + "\": " + err.Error())
	}
	return note(rules.In(s), a, rule{cond: e}, rest)
}

func note(list *[]rule, a directive.Args, r rule, vars string) error {
	if r.sets = assignments(vars); r.sets == nil {
		return errors.New("Missing envariable expression for " + a.Name)
	}
	for i := range r.sets {
		r.groups = r.groups || r.sets[i].groups
	}
	*list = append(*list, r)
	return nil
}
