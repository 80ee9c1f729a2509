package filter

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// settings are what mod_filter's directives say in a scope (httpd: mod_filter.c mod_filter_cfg).
type settings struct {
	smart map[string]*smart // by name, whose case counts
	chain []link
}

var scopes = directive.NewKey("filter", func(outer, inner settings) settings {
	m := settings{smart: maps.Clone(outer.smart), chain: slices.Concat(outer.chain, inner.chain)}
	if m.smart == nil {
		m.smart = map[string]*smart{}
	}
	maps.Copy(m.smart, inner.smart)
	return m
})

// smart is a filter that chooses among others. Immutable once the configuration is read.
type smart struct {
	name      string
	kind      exchange.FilterKind
	providers []provider // the last declared first
	protocol  protocol
	trace     bool
}

// provider is one of its choices.
type provider struct {
	filter   string     // of which name
	cond     *expr.Expr // nil: by types
	types    []string
	protocol protocol
}

// kinds are the words of FilterDeclare; another one is RESOURCE.
var kinds = map[string]exchange.FilterKind{
	"CONTENT_SET": exchange.ContentSet, "PROTOCOL": exchange.Protocol, "CONNECTION": exchange.Connection, "NETWORK": exchange.Network,
}

func setDeclare(s *directive.Scope, a directive.Args) error {
	kind := exchange.Resource
	if len(a.Words) == 2 {
		if k, ok := kinds[strings.ToUpper(a.Words[1])]; ok {
			kind = k
		}
	}
	declare(s, a.Words[0], kind)
	return nil
}

// declare makes a filter anew, whatever it was before in this scope.
func declare(s *directive.Scope, name string, kind exchange.FilterKind) *smart {
	c := scopes.In(s)
	if c.smart == nil {
		c.smart = map[string]*smart{}
	}
	f := &smart{name: name, kind: kind}
	c.smart[name] = f
	return f
}

func setProvider(s *directive.Scope, a directive.Args) error {
	return provide(s, a, a.Words[0], a.Words[1], func(p *provider) (err error) {
		o := expr.Options{File: a.Pos.File, Line: a.Pos.Line, Module: "filter", NoTLS: !s.Config.Loaded("ssl_module")}
		if p.cond, err = expr.Compile(a.Words[2], o); err != nil {
			return errors.New("Error parsing FilterProvider expression:" + err.Error())
		}
		return nil
	})
}

// provide gives a filter a choice. One that was not declared in this scope is, with the kind of what it chooses
// (httpd: mod_filter.c add_filter).
func provide(s *directive.Scope, a directive.Args, name, choice string, condition func(*provider) error) error {
	known, ok := s.Config.OutputFilter(choice)
	if !ok {
		return errors.New("Unknown filter provider " + choice)
	}
	s.Config.HintFilters(a, choice)
	f := scopes.In(s).smart[name]
	if f == nil {
		f = declare(s, name, exchange.FilterKind(known.Kind))
	}
	p := provider{filter: choice}
	if err := condition(&p); err != nil {
		return err
	}
	f.providers = append([]provider{p}, f.providers...)
	return nil
}

func setByType(s *directive.Scope, a directive.Args) error {
	if len(a.Words) < 2 {
		return errors.New("AddOutputFilterByType requires at least two arguments")
	}
	for choice := range strings.FieldsFuncSeq(a.Words[0], func(r rune) bool { return r == ';' }) {
		name := "BYTYPE:" + choice
		seen := scopes.In(s).smart[name] != nil
		err := provide(s, a, name, choice, func(p *provider) error { p.types = a.Words[1:]; return nil })
		if err != nil {
			return err
		}
		if !seen {
			scopes.In(s).append(name)
		}
	}
	return nil
}

func setTrace(s *directive.Scope, a directive.Args) error {
	f := scopes.In(s).smart[a.Words[0]]
	if f == nil {
		return errors.New("Undeclared smart filter " + a.Words[0])
	}
	f.trace = directive.Atoi(a.Words[1]) == 1
	return nil
}
