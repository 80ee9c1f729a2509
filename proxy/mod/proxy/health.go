package proxy

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// HealthModule is the directives of httpd's mod_proxy_hcheck: templates and conditions that the hc*
// parameters of members name. The checking itself is not here.
func HealthModule() site.Module {
	return site.Module{Name: "proxy_hcheck", Table: directive.Table{
		{Name: "ProxyHCTemplate", Set: setTemplate, Help: "a name for some health check parameters", Partial: noChecks},
		{Name: "ProxyHCExpr", Set: setExpr, Help: "a name for a condition on the answer to a health check", Partial: noChecks},
		{Name: "ProxyHCTPsize", Set: setCheckThreads, Help: "threads of health checks; goroutines need no such bound", Partial: noChecks},
	}}
}

// checks are the health check templates and expressions of one server. A virtual host does not know
// the main server's.
type checks struct {
	templates []balancer.Template
	exprs     []balancer.Expr
}

var healths = directive.NewKey[checks]("mod_proxy_hcheck", func(outer, inner checks) checks { return inner })

// lbMethods are the methods that a module of their name brings.
var lbMethods = [...]string{"byrequests", "bytraffic", "bybusyness", "heartbeat"}

// envOf is what parameters may name at this place of the file.
func envOf(s *directive.Scope) balancer.Env {
	h := healths.Merged(s.Server)
	e := balancer.Env{
		HCheck: s.Config.Loaded("mod_proxy_hcheck.c"), CPing: s.Config.Loaded("mod_proxy_ajp.c"),
		Templates: h.templates, Exprs: h.exprs,
	}
	for _, m := range lbMethods {
		if s.Config.Loaded("mod_lbmethod_" + m + ".c") {
			e.Methods = append(e.Methods, m)
		}
	}
	return e
}

func setTemplate(s *directive.Scope, a directive.Args) error {
	name, rest := apacheconf.Word(a.Raw)
	if name == "" {
		return errors.New("Missing template name for ProxyHCTemplate")
	}
	t := balancer.Template{Name: name, Health: balancer.NewHealth(balancer.CheckTCP)}
	env := envOf(s)
	for _, w := range apacheconf.Words(rest) {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return errors.New("Invalid ProxyHCTemplate parameter. Parameter must be in the form 'key=value'")
		}
		if err := t.Health.Set(key, value, env); err != nil {
			return errors.New("ProxyHCTemplate: " + err.Error() + " " + key + "=" + value + "; " + name)
		}
	}
	h := healths.In(s.Server)
	h.templates = append(h.templates, t)
	return nil
}

// longestExpr is the longest name of a ProxyHCExpr.
const longestExpr = 15

func setExpr(s *directive.Scope, a directive.Args) error {
	name, rest := apacheconf.Word(a.Raw)
	if name == "" {
		return errors.New("Missing expression name for ProxyHCExpr")
	}
	if len(name) > longestExpr {
		return errors.New("Expression name limited to " + strconv.Itoa(longestExpr) + " characters")
	}
	text, rest := apacheconf.Word2(rest)
	if text == "" {
		return errors.New("Missing expression for ProxyHCExpr")
	}
	if _, err := expr.Compile(text, expr.Options{HC: true, File: a.Pos.File, Line: a.Pos.Line, Module: "proxy_hcheck"}); err != nil {
		return errors.New("Could not parse expression \"" + text + "\": " + err.Error())
	}
	if rest != "" {
		return errors.New("error: extra parameter(s)")
	}
	h := healths.In(s.Server)
	h.exprs = append(h.exprs, balancer.Expr{Name: name, Text: text})
	return nil
}

func setCheckThreads(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	if directive.Atoi(a.Words[0]) < 0 {
		return errors.New("Invalid ProxyHCTPsize parameter. Parameter must be >= 0")
	}
	return nil
}

const noChecks = "members are not checked: the line has no effect"
