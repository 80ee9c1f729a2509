package rewrite

import (
	"errors"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
)

// rule is one RewriteRule with its conditions. Immutable once it is read.
type rule struct {
	text    string // the pattern as written, without "!"
	pattern *pattern.Pattern
	output  string    // the substitution as written
	to      *template // of it
	conds   []*cond

	flags     flags
	status    int // of R, F, G; 0: a redirect's usual one
	skip      int
	rounds    int // most rounds of N
	escapes   string
	plain     string // what B leaves as it is
	env       []*template
	cookies   []*template
	mediaType *template // T; nil: none
	handler   *template // H; nil: none

	openHost int // of P: how long the URL's beginning is when what follows it must not be part of the host; 0: anything may follow

	groups     bool // $n stands somewhere
	condGroups bool // %n does
	pos        apacheconf.Pos
}

// maxRounds is how often N begins anew without a number of its own (httpd: REWRITE_MAX_ROUNDS).
const maxRounds = 32000

func setRule(s *directive.Scope, a directive.Args) error {
	r, err := newRule(a)
	if err != nil {
		return errors.New("RewriteRule: " + err.Error())
	}
	if isServer(s) {
		c := server(s)
		r.conds, c.waiting = c.waiting, nil
		c.rules = c.rules.add(r)
	} else {
		d := dir(s)
		r.conds, d.waiting = d.waiting, nil
		d.rules = d.rules.add(r)
	}
	for _, c := range r.conds {
		r.refersIn(c.input)
	}
	mark(s)
	return nil
}

// newRule reads a line (httpd: mod_rewrite.c cmd_rewriterule).
func newRule(a directive.Args) (*rule, error) {
	words, ok := split(a.Raw)
	if !ok {
		return nil, errors.New("bad argument line '" + a.Raw + "'")
	}
	r := &rule{status: 302, rounds: maxRounds, text: words.first, output: words.second, pos: a.Pos}
	if words.hasThird {
		if err := eachFlag(words.third, r.setFlag); err != nil {
			return nil, err
		}
	}
	if r.text != "" && r.text[0] == '!' {
		r.flags |= negated
		r.text = r.text[1:]
	}
	var err error
	if r.pattern, err = pattern.Compile(r.text, pattern.Options{Fold: r.flags&noCase != 0}); err != nil {
		return nil, errors.New("cannot compile regular expression '" + r.text + "'")
	}
	r.setOutput()
	return r, nil
}

// setOutput reads the substitution. A "?" at its end says that there is no query, whatever groups bring.
func (r *rule) setOutput() {
	if r.output == "-" {
		r.flags |= noSubstitution
	}
	n := len(r.output)
	switch {
	case n > 0 && r.output[n-1] == '?' && r.flags&appendQuery != 0:
		r.flags |= lastMark
	case n > 0 && r.output[n-1] == '?':
		r.flags |= noQuery
		r.output = r.output[:n-1]
	case r.flags&dropQuery != 0 && !hasMark(r.output):
		r.flags |= noQuery
	}
	r.to = parseTemplate(r.output)
	if r.flags&toProxy != 0 {
		r.openHost = r.to.openHost()
	}
	for _, t := range append(append([]*template{r.to, r.mediaType, r.handler}, r.env...), r.cookies...) {
		r.refersIn(t)
	}
}

// refersIn notes what of its own matches the rule needs for a text; nil is none.
func (r *rule) refersIn(t *template) {
	if t != nil {
		r.groups, r.condGroups = r.groups || t.ruleGroups, r.condGroups || t.condGroups
	}
}
