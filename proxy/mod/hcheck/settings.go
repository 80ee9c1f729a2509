package hcheck

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// settings are the templates and conditions of one server.
type settings struct {
	templates []balancer.Template
	exprs     []balancer.Expr       // by the first spelling of their names
	compiled  map[string]*expr.Expr // by their names in lower case; shared with the checks, never written to once it is read whole
}

// checks is what each server says of health checks. Sets do not merge: see InForce.
var checks = directive.NewKey[settings]("mod_proxy_hcheck", func(outer, inner settings) settings { return inner })

// size is what the main server says about threads.
type size struct{ none bool }

var sizes = directive.NewKey[size]("mod_proxy_hcheck-size", func(outer, inner size) size { return inner })

// Env is what the hc* parameters of a line may name: what the lines before it in the same server have defined. A
// virtual host does not know the main server's.
func Env(s *directive.Scope) balancer.Env {
	e := balancer.Env{HCheck: s.Config.Loaded("mod_proxy_hcheck.c"), CPing: s.Config.Loaded("mod_proxy_ajp.c")}
	if checks.Has(s.Server) {
		c := checks.In(s.Server)
		e.Templates, e.Exprs = c.templates, c.exprs
	}
	return e
}

// Use notes that a line has an hc* parameter: its server has a set of its own then, be it an empty one.
func Use(s *directive.Scope) { checks.In(s.Server) }

// InForce is the server whose set holds in a server: a virtual host that says nothing of health checks has the main
// server's (httpd: mod_proxy_hcheck.c hc_create_config).
func InForce(server *directive.Scope) *directive.Scope {
	if checks.Has(server) {
		return server
	}
	return server.Config.Main
}

// inForce is the set that holds in a server.
func inForce(server *directive.Scope) *settings { return checks.In(InForce(server)) }

// ofServer refuses what a .htaccess file says of a server's checks: a folder has none.
func ofServer(s *directive.Scope, a directive.Args) error {
	if s.Config.InAccessFile() {
		return errors.New(a.Name + " cannot occur within htaccess files")
	}
	return nil
}

func setTemplate(s *directive.Scope, a directive.Args) error {
	if err := ofServer(s, a); err != nil {
		return err
	}
	name, rest := apacheconf.Word(a.Raw)
	if name == "" {
		return errors.New("Missing template name for ProxyHCTemplate")
	}
	c := checks.In(s.Server)
	c.templates = append(c.templates, balancer.Template{Name: name, Health: balancer.NewHealth(balancer.CheckTCP)})
	h, env := &c.templates[len(c.templates)-1].Health, Env(s) // it knows itself
	for _, w := range apacheconf.Words(QuoteWhole(rest)) {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return errors.New("Invalid ProxyHCTemplate parameter. Parameter must be in the form 'key=value'")
		}
		if err := h.Set(key, value, env); err != nil {
			return errors.New("ProxyHCTemplate: " + err.Error() + " " + key + "=" + value + "; " + name)
		}
	}
	return nil
}

// longestExpr is the longest name of a ProxyHCExpr.
const longestExpr = 15

func setExpr(s *directive.Scope, a directive.Args) error {
	if err := ofServer(s, a); err != nil {
		return err
	}
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
	o := expr.Options{HC: true, DontVary: true, File: a.Pos.File, Line: a.Pos.Line, Module: "proxy_hcheck"}
	e, err := expr.Compile(text, o)
	if err != nil {
		return errors.New("Could not parse expression \"" + text + "\": " + err.Error())
	}
	if word, _ := apacheconf.Word(rest); word != "" {
		return errors.New("error: extra parameter(s)")
	}
	checks.In(s.Server).define(name, text, e)
	return nil
}

// define adds a condition. A second one of the same name replaces the first's text, not its spelling (apr_table_setn).
func (c *settings) define(name, text string, e *expr.Expr) {
	if c.compiled == nil {
		c.compiled = map[string]*expr.Expr{}
	}
	c.compiled[strings.ToLower(name)] = e
	for i := range c.exprs {
		if strings.EqualFold(c.exprs[i].Name, name) {
			c.exprs = append([]balancer.Expr(nil), c.exprs...) // who was told of the first one keeps it
			c.exprs[i].Text = text
			return
		}
	}
	c.exprs = append(c.exprs, balancer.Expr{Name: name, Text: text})
}

func setThreads(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	n := directive.Atoi(a.Words[0])
	if n < 0 {
		return errors.New("Invalid ProxyHCTPsize parameter. Parameter must be >= 0")
	}
	*sizes.In(s.Config.Main) = size{none: n == 0}
	return nil
}

// own are the parameters of ours whose values may hold blanks.
var own = [...]string{"hcheader=\"", "hctext=\""}

// QuoteWhole has parameters of ours that are written name="a b" read as httpd reads "name=a b". The words of httpd's own are
// left as they are.
func QuoteWhole(args string) string {
	for _, name := range own {
		for at := 0; ; {
			i := exchange.IndexFold(args[at:], name)
			if i < 0 {
				break
			}
			i += at
			at = i + len(name)
			if i == 0 || args[i-1] == ' ' || args[i-1] == '\t' {
				args = args[:i] + `"` + args[i:at-1] + args[at:]
			}
		}
	}
	return args
}
