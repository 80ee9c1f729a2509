package pattern

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"sync/atomic"
	"time"

	"github.com/dlclark/regexp2"
)

// Options of Compile.
type Options struct {
	Fold bool // ignore the case of letters
}

// Pattern is a compiled regular expression. It is safe for use by several goroutines.
type Pattern struct {
	text    string
	names   []string
	guards  []guarded
	matcher                 // of the expression, or, with slow, of one that matches at least where slow does
	slow    *regexp2.Regexp // nil when Go's engine takes all of it
}

// matcher is an expression that Go's engine can take. Most subjects are decided without it.
type matcher struct {
	need requirement
	expr string
	re   atomic.Pointer[regexp.Regexp] // compiled when it is needed first
}

// guarded is look-ahead at one place of the subject.
type guarded struct {
	matcher
	want bool // that it matches
}

// Limits of the backtracking engine, which only patterns that Go's own cannot take use.
const (
	slowTimeout = 50 * time.Millisecond
	maxSubject  = 64 << 10 // bytes
	maxPattern  = 64 << 10
)

// ErrUndecided is the error of Match and Find when the backtracking engine came to a limit: 50 ms, or a subject of
// more than 64 KiB. Nobody knows then whether there is a match.
var ErrUndecided = errors.New("regular expression: gave up")

// Compile reads a Perl-compatible expression as httpd compiles it: bytes, unanchored, "." matches line
// ends, "$" only the very end (httpd: util_pcre.c, AP_REG_DEFAULT).
func Compile(expr string, o Options) (*Pattern, error) {
	if len(expr) > maxPattern {
		return nil, errors.New("regular expression too long")
	}
	t, err := translate(expr, o.Fold)
	if err != nil {
		return nil, err
	}
	p := &Pattern{text: expr, names: t.names, guards: make([]guarded, len(t.guards))}
	for i, g := range t.guards {
		p.guards[i].want = g.want
		if p.guards[i].prepare(g.expr, o.Fold, true, 0) != nil { // too large for Go's engine
			p.guards = nil
			t, _ = translateWhole(expr, o.Fold)
			break
		}
	}
	if t.slow {
		if p.slow, err = compileSlow(t, o); err != nil {
			return nil, err
		}
		p.prepare(string(t.loose), o.Fold, false, 0) // where that fails nothing is known beforehand
		return p, nil
	}
	if p.prepare(string(t.out), o.Fold, true, p.Groups()) != nil {
		if p.slow, err = compileSlow(t, o); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func compileSlow(t *translation, o Options) (*regexp2.Regexp, error) {
	opts := regexp2.RegexOptions(regexp2.None)
	if o.Fold {
		opts |= regexp2.IgnoreCase
	}
	re, err := regexp2.Compile(string(t.out), opts)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = slowTimeout
	return re, nil
}

// prepare finds out what a subject needs to match. The error: Go's engine can't take the expression.
func (m *matcher) prepare(expr string, fold, decides bool, groups int) error {
	expr = pick(fold, "(?i)", "") + expr
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return err
	}
	m.expr, m.need = expr, require(tree, decides, groups)
	return nil
}

// engine is Go's for the expression.
func (m *matcher) engine() *regexp.Regexp {
	if re := m.re.Load(); re != nil {
		return re
	}
	re := regexp.MustCompile(m.expr) // it was parsed by prepare
	m.re.Store(re)
	return re
}

func (m *matcher) match(s string) bool {
	switch m.need.judge(s) {
	case no:
		return false
	case yes:
		return true
	}
	return m.engine().MatchString(wide(s))
}

// Match reports whether the expression is found in s. ErrUndecided: a backtracking pattern came to its limits.
// That is not "no match": whatever hangs on it must fail.
func (p *Pattern) Match(s string) (bool, error) {
	switch {
	case p.need.judge(s) == no || !p.guardsHold(s):
		return false, nil
	case p.slow != nil:
		return p.matchSlow(s)
	case p.need.whole:
		return true, nil
	}
	return p.engine().MatchString(wide(s)), nil
}

func (p *Pattern) guardsHold(s string) bool {
	for i := range p.guards {
		if g := &p.guards[i]; g.match(s) != g.want {
			return false
		}
	}
	return true
}

// passes asks Go's engine, which is never slow, about a subject for the backtracking one.
func (p *Pattern) passes(w string) bool { return p.expr == "" || p.engine().MatchString(w) }

func (p *Pattern) matchSlow(s string) (bool, error) {
	w := wide(s)
	switch {
	case !p.passes(w):
		return false, nil
	case len(s) > maxSubject:
		return false, ErrUndecided
	}
	ok, err := p.slow.MatchString(w)
	if err != nil {
		return false, ErrUndecided
	}
	return ok, nil
}

// Find appends the offsets of the match and of each group to loc: pairs of begin and end, -1 for a
// group that took no part. ok is false when there is no match. The error is as Match's.
func (p *Pattern) Find(s string, loc []int) (found []int, ok bool, err error) {
	switch n := &p.need; {
	case n.judge(s) == no || !p.guardsHold(s):
		return loc, false, nil
	case p.slow != nil:
		return p.findSlow(s, loc)
	case n.index != nil:
		i := n.index.index(s)
		return append(loc, i, i+len(n.index.text)), true, nil
	case n.rest:
		return append(loc, 0, len(s), n.least, len(s)), true, nil
	}
	w := wide(s)
	m := p.engine().FindStringSubmatchIndex(w)
	if len(w) != len(s) {
		narrow(s, m)
	}
	return append(loc, m...), m != nil, nil
}

func (p *Pattern) findSlow(s string, loc []int) ([]int, bool, error) {
	w := wide(s)
	switch {
	case !p.passes(w):
		return loc, false, nil
	case len(s) > maxSubject:
		return loc, false, ErrUndecided
	}
	m, err := p.slow.FindStringMatch(w)
	if err != nil {
		return loc, false, ErrUndecided
	}
	if m == nil {
		return loc, false, nil
	}
	for i := range p.names {
		g := m.GroupByNumber(i) // offsets in runes, which are bytes of s
		if g == nil || len(g.Captures) == 0 {
			loc = append(loc, -1, -1)
			continue
		}
		loc = append(loc, g.Index, g.Index+g.Length)
	}
	return loc, true, nil
}

// Groups is the number of groups, the whole match not counted.
func (p *Pattern) Groups() int { return len(p.names) - 1 }

// Names are the groups' names by number, "" for those without; Names()[0] is the whole match.
func (p *Pattern) Names() []string { return p.names }

// String is the expression as it was written.
func (p *Pattern) String() string { return p.text }

// Expand appends template to dst with $0 to $9 replaced by what the groups matched in subject; a
// backslash makes the character behind it literal, whatever it is (httpd: util.c ap_pregsub).
func (p *Pattern) Expand(dst []byte, template, subject string, loc []int) []byte {
	return Expand(dst, template, subject, loc)
}

// Expand is Pattern.Expand for offsets of any origin.
func Expand(dst []byte, template, subject string, loc []int) []byte {
	for i := 0; i < len(template); i++ {
		c := template[i]
		if i+1 == len(template) {
			return append(dst, c)
		}
		next := template[i+1]
		switch {
		case c == '\\':
			dst = append(dst, next)
			i++
		case c == '$' && '0' <= next && next <= '9':
			i++
			if n := 2 * int(next-'0'); n+1 < len(loc) && loc[n] >= 0 {
				dst = append(dst, subject[loc[n]:loc[n+1]]...)
			}
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
