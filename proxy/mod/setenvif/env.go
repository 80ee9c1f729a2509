package setenvif

import (
	"context"
	"os"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// variables are a scope's SetEnv, PassEnv and UnsetEnv (httpd: mod_env.c env_dir_config_rec).
type variables struct {
	set   []variable
	unset []string // of the outer scopes
}

type variable struct{ name, value string }

var envs = directive.NewKey("env", mergeEnv)

// mergeEnv: what the inner scope unsets was set outside; it then adds its own.
func mergeEnv(outer, inner variables) variables {
	m := variables{set: slices.Clone(outer.set)}
	for _, name := range inner.unset {
		m.remove(name)
	}
	for _, v := range inner.set {
		m.put(v)
	}
	return m
}

func (v *variables) put(n variable) {
	for i := range v.set {
		if exchange.EqualFold(v.set[i].name, n.name) {
			v.set[i].value = n.value
			return
		}
	}
	v.set = append(v.set, n)
}

func (v *variables) remove(name string) {
	v.set = slices.DeleteFunc(v.set, func(o variable) bool { return exchange.EqualFold(o.name, name) })
}

// Env is mod_env.
func Env() site.Module {
	return site.Module{Name: "env", Open: openEnv, Reads: []string{"env"}, Table: directive.Table{
		{Name: "SetEnv", Set: setEnv, Help: "a variable and its value"},
		{Name: "PassEnv", Set: passEnv, Help: "variables of the server's environment"},
		{Name: "UnsetEnv", Set: unsetEnv, Help: "variables to take back"},
	}}
}

func openEnv(*directive.Config, *site.Site) (site.Builder, error) { return buildEnv, nil }

func buildEnv(chain []*directive.Scope, p *site.Plan) error {
	if list := envs.Merged(chain...).set; len(list) > 0 {
		p.Add(site.Fixup, "SetEnv", func(_ context.Context, x *exchange.Exchange) error {
			fill(&x.Env, list)
			return nil
		})
	}
	return nil
}

// fill adds the variables that are not there: what SetEnvIf and RewriteRule have set stays
// (httpd: mod_env.c fixup_env_module lays the request's over its own).
func fill(env *exchange.Table, list []variable) {
	for i := range list {
		if v := &list[i]; !env.Has(v.name) {
			env.Set(v.name, v.value)
		}
	}
}

func setEnv(s *directive.Scope, a directive.Args) error {
	v := variable{name: a.Words[0]}
	if len(a.Words) > 1 {
		v.value = a.Words[1]
	}
	if strings.Contains(v.name, "=") {
		name, value, _ := strings.Cut(strings.TrimLeft(v.name, "="), "=")
		s.Config.Warn(a.Pos, "env", "AH10032: Spurious usage of '=' in an environment variable name. '"+a.Name+" "+name+" "+value+"' expected instead?")
	}
	envs.In(s).put(v)
	return nil
}

func passEnv(s *directive.Scope, a directive.Args) error {
	name := a.Words[0]
	value, ok := os.LookupEnv(name)
	if !ok {
		s.Config.Warn(a.Pos, "env", "AH01506: PassEnv variable "+name+" was undefined")
		return nil
	}
	envs.In(s).put(variable{name, value})
	return nil
}

func unsetEnv(s *directive.Scope, a directive.Args) error {
	e := envs.In(s)
	e.unset = append(e.unset, a.Words[0])
	e.remove(a.Words[0])
	return nil
}
