package pattern

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// translation is an expression rewritten for the engines: each construct spelled in the one way that
// both read, or, where Go's can't do it, as the backtracking one has it.
type translation struct {
	src    string
	at     int
	out    []byte
	loose  []byte   // out without what only the backtracking engine has: matches wherever out does, and perhaps elsewhere
	slow   bool     // holds something that only the backtracking engine has
	guards []guard  // look-ahead at one place, which is not in out
	names  []string // of the groups, by number
	refs   []int    // groups that are referred to, which must exist
	total  int      // capturing groups in all of src

	flags      modes
	open       []opening // the groups around
	atom       place     // where what a quantifier applies to begins
	repeatable bool      // whether there is such a thing
	noGuards   bool      // leave look-ahead in out
	again      bool      // a guard turned out to be none: translate with noGuards
}

// place is an offset in both spellings.
type place struct{ out, loose int }

// noPlace is where a guard began, which is not in out.
var noPlace = place{-1, -1}

// opening is a group that was not closed yet.
type opening struct {
	flags modes // of what is around it
	begin place
	kind  groupKind
	slow  bool // whether something before it needs the backtracking engine
	names int  // how many groups were before it
}

// groupKind is what becomes of a group in the loose spelling.
type groupKind uint8

const (
	plainGroup     groupKind = iota
	lookGroup                // takes no text: left away
	conditionGroup           // one of its branches, or none
	guardGroup               // look-ahead that becomes a guard
)

// modes are PCRE's options that may change within an expression.
type modes struct{ fold, multi, dot, extended, lazy bool }

func bad(what string) error { return errors.New("regular expression: " + what) }

// translate rewrites a Perl-compatible expression (pcre2pattern(3)).
func translate(src string, fold bool) (*translation, error) {
	t := newTranslation(src, fold)
	err := t.run()
	if t.again {
		return translateWhole(src, fold)
	}
	return t, err
}

// translateWhole is translate that leaves look-ahead where it is.
func translateWhole(src string, fold bool) (*translation, error) {
	t := newTranslation(src, fold)
	t.noGuards = true
	return t, t.run()
}

func newTranslation(src string, fold bool) *translation {
	return &translation{src: src, names: []string{""}, flags: modes{fold: fold, dot: true}, total: countGroups(src)}
}

func (t *translation) run() error {
	for t.at < len(t.src) {
		if err := t.item(); err != nil {
			return err
		}
	}
	if len(t.open) > 0 {
		return bad("missing closing parenthesis")
	}
	for _, n := range t.refs {
		if n >= len(t.names) {
			return bad("reference to non-existent group")
		}
	}
	return nil
}

// countGroups finds how many groups capture: \10 and beyond are octal when there are less.
func countGroups(src string) (n int) {
	class := false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if strings.HasPrefix(src[i+1:], "^") {
				i++
			}
			if strings.HasPrefix(src[i+1:], "]") {
				i++
			}
		case c == '(' && captures(src[i+1:]):
			n++
		}
	}
	return n
}

func captures(rest string) bool {
	if !strings.HasPrefix(rest, "?") {
		return !strings.HasPrefix(rest, "*")
	}
	return strings.HasPrefix(rest, "?P<") || strings.HasPrefix(rest, "?'") || strings.HasPrefix(rest, "?<") && !strings.HasPrefix(rest, "?<=") && !strings.HasPrefix(rest, "?<!")
}

func (t *translation) rest() string { return t.src[t.at:] }

func (t *translation) skip(prefix string) bool {
	if strings.HasPrefix(t.rest(), prefix) {
		t.at += len(prefix)
		return true
	}
	return false
}

// until takes the text up to end, which is skipped.
func (t *translation) until(end string) (string, error) {
	i := strings.Index(t.rest(), end)
	if i < 0 {
		return "", bad("missing " + end)
	}
	s := t.src[t.at : t.at+i]
	t.at += i + len(end)
	return s, nil
}

func (t *translation) here() place { return place{len(t.out), len(t.loose)} }

// put writes something that a quantifier may follow.
func (t *translation) put(text string) { t.only(text, text) }

// only writes something that a quantifier may follow, in a spelling for each engine.
func (t *translation) only(out, loose string) {
	t.atom, t.repeatable = t.here(), true
	t.out = append(t.out, out...)
	t.loose = append(t.loose, loose...)
}

// assert writes something that no quantifier may follow.
func (t *translation) assert(text string) {
	t.put(text)
	t.repeatable = false
}

func (t *translation) set(s byteSet) { t.put(string(s.write(nil))) }

func (t *translation) literal(c byte) {
	if strings.IndexByte(`\.+*?()[]{}|^$#- `, c) >= 0 {
		t.put(`\x` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		return
	}
	t.put(string(wideRune(c)))
}

// items are the characters that mean something outside of classes. (Made in init, as what they call takes items again.)
var items [256]func(*translation) error

func init() {
	items = [256]func(*translation) error{
		'\\': (*translation).escape, '[': (*translation).class, '(': (*translation).group, ')': (*translation).close,
		'*': (*translation).quantifier, '+': (*translation).quantifier, '?': (*translation).quantifier, '{': (*translation).braces,
		'|': (*translation).alternative, '^': (*translation).begin, '$': (*translation).end, '.': (*translation).dot,
	}
}

// item takes one thing: a literal, a class, a group's beginning or end, a quantifier.
func (t *translation) item() error {
	c := t.src[t.at]
	t.at++
	if f := items[c]; f != nil {
		return f(t)
	}
	if t.flags.extended {
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			return nil
		case c == '#':
			if _, err := t.until("\n"); err != nil {
				t.at = len(t.src)
			}
			return nil
		}
	}
	t.literal(c)
	return nil
}

func (t *translation) alternative() error {
	if len(t.open) == 0 && len(t.guards) > 0 {
		t.again = true // only the first branch asks for them
	}
	t.assert("|")
	return nil
}

func (t *translation) begin() error {
	t.assert(pick(t.flags.multi, "(?m:^)", "^"))
	return nil
}

func (t *translation) end() error {
	t.assert(pick(t.flags.multi, "(?m:$)", `\z`))
	return nil
}

func (t *translation) dot() error {
	t.put(pick(t.flags.dot, "(?s:.)", `[^\n]`))
	return nil
}

// braces takes {n}, {n,} or {n,m}, which is a quantifier, or a brace that means itself.
func (t *translation) braces() error {
	n := repeat(t.src[t.at-1:])
	if n == 0 {
		t.literal('{')
		return nil
	}
	q := t.src[t.at-1 : t.at-1+n]
	if lo, hi, _ := strings.Cut(q[1:n-1], ","); tooOften(lo) || tooOften(hi) {
		return bad("number too big in {} quantifier")
	}
	t.at += n - 1
	return t.repeated(q)
}

// quantifier takes the one-character quantifier that was just read.
func (t *translation) quantifier() error { return t.repeated(t.src[t.at-1 : t.at]) }

func pick(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// repeat is the length of {n}, {n,} or {n,m} at the beginning of s; other braces are literal.
func repeat(s string) int {
	end := strings.IndexByte(s, '}')
	if end < 2 {
		return 0
	}
	lo, hi, _ := strings.Cut(s[1:end], ",")
	if lo == "" || strings.Trim(lo, "0123456789") != "" || strings.Trim(hi, "0123456789") != "" {
		return 0
	}
	return end + 1
}

// tooOften: PCRE counts to 65535.
func tooOften(count string) bool {
	n, err := strconv.Atoi(count)
	return count != "" && (err != nil || n > 65535)
}

// repeated writes q and what may follow it: "?" makes it lazy, "+" possessive, which is a group that
// is not entered again.
func (t *translation) repeated(q string) error {
	if !t.repeatable {
		return bad("quantifier does not follow a repeatable item")
	}
	t.repeatable = false
	if t.atom == noPlace {
		t.again = true
		return nil
	}
	t.loose = append(t.loose, q...)
	if t.skip("+") {
		t.slow = true
		t.out = slices.Insert(t.out, t.atom.out, []byte("(?>")...)
		t.out = append(append(t.out, q...), ')')
		return nil
	}
	t.out = append(t.out, q...)
	if t.skip("?") != t.flags.lazy {
		t.out = append(t.out, '?')
		t.loose = append(t.loose, '?')
	}
	return nil
}
