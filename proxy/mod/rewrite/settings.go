package rewrite

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
)

// Names of the keys, for Module.Reads.
const (
	serverKey = "mod_rewrite server"
	dirKey    = "mod_rewrite"
)

// serverSettings is what stands in a server, outside of its sections (httpd: rewrite_server_conf).
type serverSettings struct {
	options directive.Opt[option]
	rules   *ruleSet // nil: none
	maps    map[string]*rewriteMap
	waiting []*cond // of the rule to come
}

var servers = directive.NewKey(serverKey, func(outer, inner serverSettings) serverSettings {
	m := serverSettings{options: inner.options.Over(outer.options), rules: inner.rules, maps: inner.maps}
	switch outer.options.Or(0).inheritance(m.options.Or(0)) {
	case parentLast:
		m.rules, m.maps = join(inner.rules, outer.rules), overlay(outer.maps, inner.maps)
	case parentFirst:
		m.rules, m.maps = join(outer.rules, inner.rules), overlay(inner.maps, outer.maps)
	}
	return m
})

// overlay is base with what is in top put over it.
func overlay(base, top map[string]*rewriteMap) map[string]*rewriteMap {
	if len(base) == 0 {
		return top
	}
	m := maps.Clone(base)
	maps.Copy(m, top)
	return m
}

// dirSettings is what stands in a section, or what a server says for all of them (httpd: rewrite_perdir_conf).
type dirSettings struct {
	state   directive.Opt[bool]
	options directive.Opt[option]
	base    directive.Opt[string] // RewriteBase
	prefix  string                // what is cut off a file's name, with a slash at its end; "" in a server
	rules   *ruleSet              // nil: none
	waiting []*cond               // of the rule to come
}

var dirs = directive.NewKey(dirKey, func(outer, inner dirSettings) dirSettings {
	m := dirSettings{state: inner.state.Over(outer.state), options: inner.options.Over(outer.options), base: inner.base, prefix: inner.prefix, rules: inner.rules}
	if m.options.Or(0)&mergeBase != 0 {
		m.base = inner.base.Over(outer.base)
	}
	switch outer.options.Or(0).inheritance(m.options.Or(0)) {
	case parentLast:
		m.rules = join(inner.rules, outer.rules)
	case parentFirst:
		m.rules = join(outer.rules, inner.rules)
	}
	return m
})

// isServer reports whether a scope is a server, not a section.
func isServer(s *directive.Scope) bool { return s.Kind&directive.Server != 0 }

// server is a server's settings. That they are there says that a directive of this module stands in it, be it in a
// section: a virtual host without any has no rules, not even inherited ones (httpd: mod_rewrite.c hook_uri2file).
func server(s *directive.Scope) *serverSettings { return servers.In(s.Server) }

// mark notes that a directive of this module stands in a scope's server.
func mark(s *directive.Scope) {
	if !s.Config.InAccessFile() { // that is read while requests are served
		server(s)
	}
}

// dir is the settings of a scope for files.
func dir(s *directive.Scope) *dirSettings {
	d := dirs.In(s)
	if !isServer(s) {
		d.prefix = prefixOf(s)
	}
	return d
}

// prefixOf is the text that rules of a section do not see: its folder, or whatever else stands in its argument
// (httpd: cmd->path).
func prefixOf(s *directive.Scope) string {
	path := s.Arg
	if s.Kind == directive.If {
		path = "*If"
	}
	if strings.HasSuffix(path, "/") {
		return path
	}
	return path + "/"
}

// ruleSet is rules in order.
type ruleSet struct {
	rules []*rule

	index sync.Once
	found *pattern.Set // by index: the rules that may match; nil until it is needed
}

func join(first, second *ruleSet) *ruleSet {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return &ruleSet{rules: slices.Concat(first.rules, second.rules)}
}

func (s *ruleSet) add(r *rule) *ruleSet {
	if s == nil {
		s = &ruleSet{}
	}
	s.rules = append(s.rules, r)
	return s
}

// list is the rules; none of nil.
func (s *ruleSet) list() []*rule {
	if s == nil {
		return nil
	}
	return s.rules
}

// set finds the rules that a text may match. What chains others, or matches when its pattern does not, always may.
func (s *ruleSet) set() *pattern.Set {
	s.index.Do(func() {
		list := make([]*pattern.Pattern, len(s.rules))
		for i, r := range s.rules {
			if r.flags&(negated|chain) == 0 {
				list[i] = r.pattern
			}
		}
		s.found = pattern.NewSet(list)
	})
	return s.found
}
