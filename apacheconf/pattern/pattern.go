package pattern

import (
	"errors"
	"regexp"
	"strings"
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
	literal string         // what the subject must begin with (anchored) or hold
	anchor  bool           // literal stands at the beginning
	exact   bool           // literal is the whole expression, so that it alone decides
	fast    *regexp.Regexp // nil when only slow can
	slow    *regexp2.Regexp
	names   []string
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
	p := &Pattern{text: expr, names: t.names}
	if !t.slow {
		if p.fast, err = regexp.Compile(pick(o.Fold, "(?i)", "") + string(t.out)); err == nil {
			if !o.Fold {
				p.prepare()
			}
			return p, nil
		}
	}
	opts := regexp2.RegexOptions(regexp2.None)
	if o.Fold {
		opts |= regexp2.IgnoreCase
	}
	if p.slow, err = regexp2.Compile(string(t.out), opts); err != nil {
		return nil, err
	}
	p.slow.MatchTimeout = slowTimeout
	return p, nil
}

// prepare finds the literal text that decides, or nearly decides, whether a subject matches, so that
// the usual patterns cost a comparison.
func (p *Pattern) prepare() {
	text := p.text
	if strings.Contains(text, `\E`) || strings.Contains(text, "(?#") {
		return // a quantifier may stand behind
	}
	anchored := strings.HasPrefix(text, "^")
	if anchored {
		text = text[1:]
	}
	n := strings.IndexAny(text, `\.+*?()[]{}|^$`)
	switch {
	case n < 0:
		p.literal, p.anchor, p.exact = text, anchored, true
	case strings.IndexByte(p.text, '|') >= 0:
	case text[n] == '*' || text[n] == '?' || text[n] == '{':
		if n > 1 {
			p.literal, p.anchor = text[:n-1], anchored
		}
	case n > 0:
		p.literal, p.anchor = text[:n], anchored
	}
}

// Match tells whether the expression is found in s. ErrUndecided: a backtracking pattern came to its limits.
// That is not "no match": whatever hangs on it must fail.
func (p *Pattern) Match(s string) (bool, error) {
	switch {
	case p.literal != "" && !p.found(s):
		return false, nil
	case p.exact:
		return p.found(s), nil
	case p.fast != nil:
		return p.fast.MatchString(wide(s)), nil
	}
	return p.matchSlow(s)
}

func (p *Pattern) matchSlow(s string) (bool, error) {
	if len(s) > maxSubject {
		return false, ErrUndecided
	}
	ok, err := p.slow.MatchString(wide(s))
	if err != nil {
		return false, ErrUndecided
	}
	return ok, nil
}

func (p *Pattern) found(s string) bool {
	if p.anchor {
		return strings.HasPrefix(s, p.literal)
	}
	return strings.Contains(s, p.literal)
}

// Find appends the offsets of the match and of each group to loc: pairs of begin and end, -1 for a
// group that took no part. ok is false when there is no match. The error is as Match's.
func (p *Pattern) Find(s string, loc []int) (found []int, ok bool, err error) {
	if p.literal != "" && !p.found(s) {
		return loc, false, nil
	}
	if p.exact {
		i := 0
		if !p.anchor {
			i = strings.Index(s, p.literal)
		}
		return append(loc, i, i+len(p.literal)), true, nil
	}
	if p.fast == nil {
		return p.findSlow(s, loc)
	}
	w := wide(s)
	m := p.fast.FindStringSubmatchIndex(w)
	if len(w) != len(s) {
		narrow(s, m)
	}
	return append(loc, m...), m != nil, nil
}

func (p *Pattern) findSlow(s string, loc []int) ([]int, bool, error) {
	if len(s) > maxSubject {
		return loc, false, ErrUndecided
	}
	m, err := p.slow.FindStringMatch(wide(s))
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
// backslash before "$" or "&" makes it literal (httpd: util.c ap_pregsub).
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
		case c == '\\' && (next == '$' || next == '&'):
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
