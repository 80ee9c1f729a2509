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
	slowTimeout = 50 * time.Millisecond // a match that takes longer is none
	maxSubject  = 64 << 10              // bytes; a longer subject does not match
	maxPattern  = 64 << 10
)

// Compile reads a Perl-compatible expression as httpd compiles it: unanchored, "." matches line
// ends, "$" only the very end (httpd: util_pcre.c, AP_REG_DEFAULT).
func Compile(expr string, o Options) (*Pattern, error) {
	if len(expr) > maxPattern {
		return nil, errors.New("regular expression too long")
	}
	p := &Pattern{text: expr}
	flags := "(?s)"
	if o.Fold {
		flags = "(?is)"
	}
	fast, err := regexp.Compile(flags + goSyntax(expr))
	if err == nil {
		p.fast, p.names = fast, fast.SubexpNames()
		if !o.Fold {
			p.prepare(fast)
		}
		return p, nil
	}
	opts := regexp2.RegexOptions(regexp2.Singleline)
	if o.Fold {
		opts |= regexp2.IgnoreCase
	}
	slow, slowErr := regexp2.Compile(endOnly(expr), opts)
	if slowErr != nil {
		return nil, err
	}
	slow.MatchTimeout = slowTimeout
	p.slow = slow
	n := 0
	for _, g := range slow.GetGroupNumbers() {
		n = max(n, g)
	}
	p.names = make([]string, n+1)
	for i := range p.names {
		if name := slow.GroupNameFromNumber(i); name != itoa(i) {
			p.names[i] = name
		}
	}
	return p, nil
}

// prepare finds the literal text that decides, or nearly decides, whether a subject matches, so that
// the usual patterns cost a comparison.
func (p *Pattern) prepare(re *regexp.Regexp) {
	text := p.text
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

// goSyntax writes what Perl and Go spell differently as Go does: (?<name> …), \Z, \h.
func goSyntax(expr string) string {
	expr = strings.ReplaceAll(expr, `\Z`, `\z`)
	expr = strings.ReplaceAll(expr, `\h`, `[ \t]`)
	return expr
}

// endOnly makes "$" mean the very end for the backtracking engine, outside of classes.
func endOnly(expr string) string {
	var b strings.Builder
	class := false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '\\' && i+1 < len(expr):
			b.WriteByte(c)
			i++
			b.WriteByte(expr[i])
			continue
		case c == '[' && !class:
			class = true
		case c == ']' && class:
			class = false
		case c == '$' && !class:
			b.WriteString(`\z`)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Match tells whether the expression is found in s.
func (p *Pattern) Match(s string) bool {
	if p.exact {
		return p.found(s)
	}
	if p.literal != "" && !p.found(s) {
		return false
	}
	if p.fast != nil {
		return p.fast.MatchString(s)
	}
	if len(s) > maxSubject {
		return false
	}
	ok, err := p.slow.MatchString(latin(s))
	return ok && err == nil
}

func (p *Pattern) found(s string) bool {
	if p.anchor {
		return strings.HasPrefix(s, p.literal)
	}
	return strings.Contains(s, p.literal)
}

// Find appends the offsets of the match and of each group to loc: pairs of begin and end, -1 for a
// group that took no part. ok is false when there is no match.
func (p *Pattern) Find(s string, loc []int) (found []int, ok bool) {
	if p.literal != "" && !p.found(s) {
		return loc, false
	}
	if p.exact {
		i := 0
		if !p.anchor {
			i = strings.Index(s, p.literal)
		}
		return append(loc, i, i+len(p.literal)), true
	}
	if p.fast != nil {
		m := p.fast.FindStringSubmatchIndex(s)
		return append(loc, m...), m != nil
	}
	return p.findSlow(s, loc)
}

func (p *Pattern) findSlow(s string, loc []int) ([]int, bool) {
	if len(s) > maxSubject {
		return loc, false
	}
	m, err := p.slow.FindStringMatch(latin(s))
	if err != nil || m == nil {
		return loc, false
	}
	for i := range p.names {
		g := m.GroupByNumber(i)
		if g == nil || len(g.Captures) == 0 {
			loc = append(loc, -1, -1)
			continue
		}
		loc = append(loc, g.Index, g.Index+g.Length)
	}
	return loc, true
}

// latin makes each byte a rune, so that the engine's rune offsets are byte offsets.
func latin(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			r := make([]rune, len(s))
			for j := range len(s) {
				r[j] = rune(s[j])
			}
			return string(r)
		}
	}
	return s
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

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
