package setenvif

import (
	"errors"
	"regexp"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// rule is one directive: where its condition holds, its variables are set. Immutable after the load.
type rule struct {
	name string // the attribute, as written
	same bool   // the rule before it asked for the same attribute
	of   func(*exchange.Exchange) string
	re   *pattern.Pattern
	fold bool // letters match in any case
	text bool // re is plain text: a value's $1 means itself

	cond *expr.Expr // SetEnvIfExpr; the fields above are unused

	sets   []assignment
	groups bool // one of the values has $ or \ in it
}

// assignment is name=value, or !name.
type assignment struct {
	name, value string
	unset       bool
	groups      bool // the value has $ or \ in it
}

// special are the attributes that are no fields (httpd: mod_setenvif.c add_setenvif_core).
var special = map[string]func(*exchange.Exchange) string{
	"remote_addr":      func(x *exchange.Exchange) string { return x.ClientIP },
	"remote_host":      expr.RemoteHost,
	"request_uri":      path,
	"request_method":   func(x *exchange.Exchange) string { return x.Req.Method },
	"request_protocol": func(x *exchange.Exchange) string { return x.Req.ProtoText() },
	"server_addr":      serverAddr,
}

// path is as received until it is decoded.
func path(x *exchange.Exchange) string {
	if x.Req.Path == "" {
		return x.Req.RawPath
	}
	return x.Req.Path
}

func serverAddr(x *exchange.Exchange) string {
	return x.Arena.Keep(x.Conn.Local.Addr().Unmap().AppendTo(x.Arena.Scratch(45)))
}

func newRule(directive, name, text string, fold bool) (r rule, err error) {
	r.name, r.fold = name, fold
	source := text
	if plain, ok := plainText(text); ok {
		r.text, source = true, regexp.QuoteMeta(plain)
	}
	if r.re, err = pattern.Compile(source, pattern.Options{Fold: fold}); err != nil {
		return r, errors.New(directive + " regex could not be compiled.")
	}
	if r.of = special[strings.ToLower(name)]; r.of != nil {
		return r, nil
	}
	if isFieldName(name) {
		r.of = fieldOrVariable(name)
		return r, nil
	}
	re, err := pattern.Compile(name, pattern.Options{Fold: fold})
	if err != nil {
		return r, errors.New(directive + "Header name regex could not be compiled.")
	}
	r.of = fieldLike(re)
	return r, nil
}

// isFieldName tells a name from a regular expression for names.
func isFieldName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '_') {
			return false
		}
	}
	return true
}

func fieldOrVariable(name string) func(*exchange.Exchange) string {
	return func(x *exchange.Exchange) string {
		if v, ok := x.Req.Header.Lookup(name); ok {
			return v
		}
		return x.Env.Value(name)
	}
}

// fieldLike is the last of the fields whose name matches.
func fieldLike(re *pattern.Pattern) func(*exchange.Exchange) string {
	return func(x *exchange.Exchange) string {
		for i := x.Req.Header.Len() - 1; i >= 0; i-- {
			f := &x.Req.Header.F[i]
			ok, err := re.Match(f.Name)
			if err != nil {
				giveUp(x, re, err)
			}
			if ok {
				return f.Value
			}
		}
		return ""
	}
}

func giveUp(x *exchange.Exchange, re *pattern.Pattern, err error) {
	x.GiveUp("setenvif", "SetEnvIf "+re.String(), err)
}

// plainText is what a regular expression without special characters looks for
// (httpd: mod_setenvif.c non_regex_pattern).
func plainText(re string) (text string, ok bool) {
	const special = `^.$|()[]*+?{}`
	var b strings.Builder
	for i := 0; i < len(re); i++ {
		c := re[i]
		if c == '\\' {
			if i++; i == len(re) {
				break
			}
			if c = re[i]; c != '\\' && strings.IndexByte(special, c) < 0 {
				return "", false
			}
		} else if strings.IndexByte(special, c) >= 0 {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// assignments reads "a b=c !d"; nil when there is none. Of two for one name the last one counts, at
// the first one's place (httpd: mod_setenvif.c add_envvars).
func assignments(args string) []assignment {
	var list []assignment
	for {
		word, rest := apacheconf.Word(args)
		if word == "" {
			return list
		}
		args = rest
		list = put(list, newAssignment(word))
	}
}

func newAssignment(word string) assignment {
	name, value, _ := strings.Cut(word, "=")
	value = strings.TrimLeft(value, "=")
	a := assignment{name: name, value: value}
	switch {
	case value == "" && strings.HasPrefix(name, "!"):
		a.name, a.unset = name[1:], true
	case value == "":
		a.value = "1"
	case value[0] == '!':
		a.unset = true
	}
	a.groups = strings.ContainsAny(a.value, `$\`)
	return a
}

func put(list []assignment, a assignment) []assignment {
	for i := range list {
		if exchange.EqualFold(list[i].name, a.name) {
			a.name = list[i].name
			list[i] = a
			return list
		}
	}
	return append(list, a)
}

func (r *rule) applyMatch(x *exchange.Exchange, value string) {
	if r.text || !r.groups {
		ok, err := r.re.Match(value)
		if err != nil {
			giveUp(x, r.re, err)
		}
		if ok {
			r.assign(x, nil)
		}
		return
	}
	var few [20]int
	loc, ok, err := r.re.Find(value, few[:0])
	if err != nil {
		giveUp(x, r.re, err)
	}
	if ok {
		r.assign(x, func(b []byte, template string) []byte { return pattern.Expand(b, template, value, loc) })
	}
}

// applyExpr takes $1 from the last regular expression in the condition. Where that one did not match,
// which is what a !~ wants, the values are taken as they are.
func (r *rule) applyExpr(x *exchange.Exchange) {
	var c expr.Captures
	if ok, err := r.cond.MatchCaptures(x, &c); !ok || err != nil {
		return
	}
	if c.Ran && !c.Set {
		r.assign(x, nil)
		return
	}
	r.assign(x, func(b []byte, template string) []byte { return pattern.Expand(b, template, c.Source, c.Loc) })
}

// assign sets the variables; expand, when there is one, puts groups into a value.
func (r *rule) assign(x *exchange.Exchange, expand func(b []byte, template string) []byte) {
	for i := range r.sets {
		switch a := &r.sets[i]; {
		case a.unset:
			x.Env.Unset(a.name)
		case a.groups && expand != nil:
			x.Env.Set(a.name, x.Arena.Keep(expand(x.Arena.Scratch(len(a.value)+64), a.value)))
		default:
			x.Env.Set(a.name, a.value)
		}
	}
}
