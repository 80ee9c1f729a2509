package proxyhtml

import (
	"errors"
	"regexp"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// rule is one ProxyHTMLURLMap. Immutable.
type rule struct {
	from, to string
	re       *pattern.Pattern // nil: from is a text, or holds variables
	cond     *expr.Expr       // nil: always

	noHTML, noEvents, noScripts bool // h e c: where it does not hold
	regex                       bool // R
	start, end                  bool // ^ $: only there
	last, notLast               bool // L l: whether others follow
	varsTo, varsFrom            bool // V v: variables are put in
	fold, lines                 bool // i s: how the pattern is meant; x and n change nothing
}

func setMap(s *directive.Scope, a directive.Args) error {
	from, rest := apacheconf.Word(a.Raw)
	to, rest := apacheconf.Word(rest)
	flags, rest := apacheconf.Word(rest)
	cond, _ := apacheconf.Word(rest)
	has := func(flag string) bool { return strings.Contains(flags, flag) }
	r := rule{
		from: from, to: to, noHTML: has("h"), noEvents: has("e"), noScripts: has("c"), regex: has("R"), start: has("^"), end: has("$"),
		last: has("L"), notLast: has("l"), varsTo: has("V"), varsFrom: has("v"), fold: has("i"), lines: has("s"),
	}
	if err := r.compile(); err != nil && !r.varsFrom {
		return errors.New("ProxyHTMLURLMap: the pattern could not be compiled: " + from)
	}
	if cond != "" {
		var err error
		if r.cond, err = expr.Compile(condition(cond), expr.Options{File: a.Pos.File, Line: a.Pos.Line, Module: "proxy_html", NoTLS: !s.Config.Loaded("ssl_module")}); err != nil {
			return err
		}
	}
	m := scopes.In(s)
	m.rules = append(m.rules, r)
	return nil
}

// compile makes the pattern of a rule that has one.
func (r *rule) compile() (err error) {
	if !r.regex {
		return nil
	}
	text := r.from
	if r.lines {
		text = "(?m)" + text
	}
	r.re, err = pattern.Compile(text, pattern.Options{Fold: r.fold})
	return err
}

var oldCondition = regexp.MustCompile(`^(!)?(\w+)((=)(.+))?$`)

// condition is an expression, also for what was one before there were any: VAR=value (httpd: mod_proxy_html.c
// comp_urlmap).
func condition(text string) string {
	return oldCondition.ReplaceAllString(text, "reqenv('$2')$1$4'$5'")
}

// inForce are the rules that hold for a request, with its variables in them.
func (s *settings) inForce(x *exchange.Exchange) []rule {
	if !s.interp {
		return s.rules
	}
	var list []rule
	for _, r := range s.rules {
		if r.cond != nil {
			ok, err := r.cond.Match(x)
			if err != nil {
				x.Log("proxy_html", exchange.Error, nil, "AH01421: Error evaluating expr: "+err.Error())
			}
			if !ok {
				continue
			}
		}
		if r.varsFrom {
			if r.from = interpolated(x, r.from); r.from == "" || r.compile() != nil {
				continue
			}
		}
		if r.varsTo {
			r.to = interpolated(x, r.to)
		}
		list = append(list, r)
	}
	return list
}

// interpolated is a text with the values of its variables, ${NAME} or ${NAME|default}.
func interpolated(x *exchange.Exchange, text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return strings.Clone(b.String() + text)
		}
		b.WriteString(before)
		name, other, _ := strings.Cut(name, "|")
		if v, ok := x.Env.Get(name); ok {
			b.WriteString(v)
		} else {
			b.WriteString(other)
		}
		text = after
	}
}

// link is the value of an attribute that holds a URL, as the rules make it: one that fits decides.
func link(rules []rule, v string) string {
	for i := range rules {
		r := &rules[i]
		if r.noHTML {
			continue
		}
		if r.re == nil {
			if len(v) >= len(r.from) && strings.EqualFold(v[:len(r.from)], r.from) {
				return r.to + v[len(r.from):]
			}
			continue
		}
		loc, ok, err := r.re.Find(v, nil)
		if !ok || err != nil {
			continue
		}
		v = v[:loc[0]] + string(r.re.Expand(nil, r.to, v, loc)) + v[loc[1]:]
		if !r.notLast {
			return v
		}
	}
	return v
}

// script is a script as the rules make it: all that fits is replaced, by each of them in turn.
func script(rules []rule, v string, event bool) string {
	for i := range rules {
		r := &rules[i]
		if event && r.noEvents || !event && r.noScripts {
			continue
		}
		var matched bool
		if v, matched = r.all(v); matched && event && r.last {
			break
		}
	}
	return v
}

// all replaces each match in a text.
func (r *rule) all(v string) (string, bool) {
	if r.re == nil {
		return r.texts(v)
	}
	var out []byte
	at, matched := 0, false
	for at <= len(v) {
		loc, ok, err := r.re.Find(v[at:], nil)
		if !ok || err != nil {
			break
		}
		matched = true
		out = append(out, v[at:at+loc[0]]...)
		out = r.re.Expand(out, r.to, v[at:], loc)
		if loc[1] == 0 || loc[0] == loc[1] { // nothing was found: go on behind the next character
			if at+loc[1] < len(v) {
				out = append(out, v[at+loc[1]])
			}
			loc[1]++
		}
		at += loc[1]
	}
	if !matched {
		return v, false
	}
	return string(append(out, v[min(at, len(v)):]...)), true
}

func (r *rule) texts(v string) (string, bool) {
	switch {
	case r.from == "":
		return v, false
	case r.start && !strings.HasPrefix(v, r.from), r.end && !strings.HasSuffix(v, r.from):
		return v, false
	case r.start && r.end:
		return r.to, v == r.from
	case r.end:
		return v[:len(v)-len(r.from)] + r.to, true
	}
	if !strings.Contains(v, r.from) {
		return v, false
	}
	return strings.ReplaceAll(v, r.from, r.to), true
}
