package actions

import (
	"errors"
	"maps"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// Module is mod_actions. Where it is not loaded no directive of it can stand.
func Module() site.Module {
	return site.Module{Name: "actions", Open: open, Reads: []string{"actions"}, Table: directive.Table{
		{Name: "Action", Set: setAction, Help: "a media type or a handler, and the path that serves it"},
		{Name: "Script", Set: setScript, Help: "a method, and the path that serves it"},
	}}
}

func open(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_actions.c") {
		return nil, nil
	}
	return build, nil
}

// settings is what a scope says (httpd: mod_actions.c action_dir_config).
type settings struct {
	actions map[string]action // by media type or handler
	scripts map[string]string // by method
}

// action is where an Action leads.
type action struct {
	path    string
	virtual bool // the request need not be mapped to a file that exists
}

// dirs: what is inside goes before what is outside.
var dirs = directive.NewKey("actions", func(outer, inner settings) settings {
	return settings{over(outer.actions, inner.actions), over(outer.scripts, inner.scripts)}
})

func over[V any](outer, inner map[string]V) map[string]V {
	if len(inner) == 0 {
		return outer
	}
	if len(outer) == 0 {
		return inner
	}
	all := maps.Clone(outer)
	maps.Copy(all, inner)
	return all
}

func setAction(s *directive.Scope, a directive.Args) error {
	virtual := len(a.Words) > 2
	if virtual && !strings.EqualFold(a.Words[2], "virtual") {
		return errors.New("unrecognized option '" + a.Words[2] + "'")
	}
	d := dirs.In(s)
	if d.actions == nil {
		d.actions = map[string]action{}
	}
	d.actions[a.Words[0]] = action{path: a.Words[1], virtual: virtual}
	return nil
}

func setScript(s *directive.Scope, a directive.Args) error {
	method := a.Words[0]
	if method == "TRACE" {
		return errors.New("TRACE not allowed for Script")
	}
	d := dirs.In(s)
	if d.scripts == nil {
		d.scripts = map[string]string{}
	}
	d.scripts[same(method)] = a.Words[1]
	return nil
}

// same is a method, or the one that httpd has no other number for.
func same(method string) string {
	if method == "HEAD" {
		return "GET"
	}
	return method
}
