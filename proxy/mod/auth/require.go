package auth

import (
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// limitOf is the methods of the <Limit> around a directive; every method without one.
func limitOf(s *directive.Scope) methods {
	if s.Limited == nil {
		return every
	}
	return newMethods(s.Except, s.Limited...)
}

// groupOf is the group that a Require in a scope belongs to: that of the section around it, or the
// scope's own, which grants when one member does.
func groupOf(s *directive.Scope) *rule {
	if g, ok := s.Group.(*rule); ok {
		return g
	}
	r := requires.In(s)
	if r.root == nil {
		r.root = &rule{text: "<RequireAny>"}
	}
	return r.root
}

// setRequire (httpd: mod_authz_core.c add_authz_provider).
func setRequire(s *directive.Scope, a directive.Args) error {
	r := &rule{methods: limitOf(s), text: strings.TrimRight("Require "+a.Raw, " ")}
	name, args := apacheconf.Word(a.Raw)
	if strings.EqualFold(name, "not") {
		r.negate = true
		name, args = apacheconf.Word(args)
	}
	open, ok := providerOf(s, name)
	if !ok {
		return errors.New("Unknown Authz provider: " + name)
	}
	var err error
	if r.check, r.fixed, err = open(s, args); err != nil {
		return err
	}
	g := groupOf(s)
	if r.negate && !g.all {
		return errors.New("negative " + a.Name + " directive has no effect in " + g.text + " directive")
	}
	g.add(r)
	return nil
}

func (r *rule) add(members ...*rule) {
	for _, m := range members {
		r.methods = r.methods.with(m.methods)
	}
	r.members = append(r.members, members...)
}

// openGroup begins <RequireAll>, <RequireAny> or <RequireNone>. It joins the group around it when it
// is closed (httpd: mod_authz_core.c add_authz_section).
func openGroup(all, negate bool) func(*directive.Scope, directive.Args) (*directive.Scope, error) {
	return func(s *directive.Scope, a directive.Args) (*directive.Scope, error) {
		end := strings.LastIndexByte(a.Raw, '>')
		if end < 0 {
			return nil, errors.New(a.Name + "> directive missing closing '>'")
		}
		if end > 0 {
			return nil, errors.New(a.Name + "> directive doesn't take additional arguments")
		}
		v := s.View(a.Name[1:])
		v.Group = &rule{all: all, negate: negate, text: a.Name + ">"}
		return v, nil
	}
}

func closeGroup(v *directive.Scope, _ directive.Args) error {
	r := v.Group.(*rule)
	if len(r.members) == 0 {
		return errors.New(r.text + " directive contains no authorization directives")
	}
	g := groupOf(v.Parent)
	switch {
	case r.negate && !g.all:
		return errors.New(r.text + " directive has no effect in " + g.text + " directive")
	case !r.negate && r.all == g.all:
		g.add(r.members...)
	default:
		g.add(r)
	}
	return nil
}

// checkRules is httpd's look at all rules after the reading: a group whose members can only keep out
// would keep everybody out. httpd meets the last section first.
func checkRules(c *directive.Config) error {
	all := scopes(c.Main)
	for _, v := range c.VHosts {
		all = append(all, scopes(v)...)
	}
	for _, s := range slices.Backward(all) {
		if !requires.Has(s) {
			continue
		}
		root := requires.In(s).root
		if root == nil {
			continue
		}
		if bad := root.onlyNegative(); bad == root {
			return errors.New("AH01624: <Directory>, <Location>, or similar directive contains only negative authorization directives")
		} else if bad != nil {
			return errors.New("AH01624: " + bad.text + " directive contains only negative authorization directives")
		}
	}
	return nil
}

// scopes is a scope and all sections in it.
func scopes(s *directive.Scope) []*directive.Scope {
	out := []*directive.Scope{s}
	for _, c := range s.Children {
		out = append(out, scopes(c)...)
	}
	return out
}
