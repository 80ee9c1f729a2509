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
	src   string
	at    int
	out   []byte
	slow  bool     // holds something that only the backtracking engine has
	names []string // of the groups, by number
	refs  []int    // groups that are referred to, which must exist
	total int      // capturing groups in all of src

	flags modes
	stack []modes // of the groups around
	open  []int   // where the groups around begin in out
	atom  int     // where what a quantifier applies to begins in out; -1: nothing
}

// modes are PCRE's options that may change within an expression.
type modes struct{ fold, multi, dot, extended, lazy bool }

func bad(what string) error { return errors.New("regular expression: " + what) }

// translate rewrites a Perl-compatible expression (pcre2pattern(3)).
func translate(src string, fold bool) (*translation, error) {
	t := &translation{src: src, names: []string{""}, flags: modes{fold: fold, dot: true}, atom: -1, total: countGroups(src)}
	for t.at < len(t.src) {
		if err := t.item(); err != nil {
			return nil, err
		}
	}
	if len(t.stack) > 0 {
		return nil, bad("missing closing parenthesis")
	}
	for _, n := range t.refs {
		if n >= len(t.names) {
			return nil, bad("reference to non-existent group")
		}
	}
	return t, nil
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

// put writes something that a quantifier may follow.
func (t *translation) put(text string) {
	t.atom = len(t.out)
	t.out = append(t.out, text...)
}

// assert writes something that no quantifier may follow.
func (t *translation) assert(text string) {
	t.out = append(t.out, text...)
	t.atom = -1
}

func (t *translation) set(s byteSet) {
	t.atom = len(t.out)
	t.out = s.write(t.out)
}

func (t *translation) literal(c byte) {
	t.atom = len(t.out)
	if strings.IndexByte(`\.+*?()[]{}|^$#- `, c) >= 0 {
		t.out = append(t.out, '\\', 'x')
		t.out = append(t.out, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		return
	}
	t.out = append(t.out, string(wideRune(c))...)
}

// item takes one thing: a literal, a class, a group's beginning or end, a quantifier.
func (t *translation) item() error {
	c := t.src[t.at]
	t.at++
	switch c {
	case '\\':
		return t.escape()
	case '[':
		return t.class()
	case '(':
		return t.group()
	case ')':
		return t.close()
	case '|':
		t.assert("|")
	case '^':
		t.assert(pick(t.flags.multi, "(?m:^)", "^"))
	case '$':
		t.assert(pick(t.flags.multi, "(?m:$)", `\z`))
	case '.':
		t.put(pick(t.flags.dot, "(?s:.)", `[^\n]`))
	case '*', '+', '?':
		return t.quantifier(string(c))
	case '{':
		if n := repeat(t.src[t.at-1:]); n > 0 {
			q := t.src[t.at-1 : t.at-1+n]
			if lo, hi, _ := strings.Cut(q[1:n-1], ","); tooOften(lo) || tooOften(hi) {
				return bad("number too big in {} quantifier")
			}
			t.at += n - 1
			return t.quantifier(q)
		}
		t.literal(c)
	default:
		if t.flags.extended && (c == ' ' || '\t' <= c && c <= '\r') {
			return nil
		}
		if t.flags.extended && c == '#' {
			if _, err := t.until("\n"); err != nil {
				t.at = len(t.src)
			}
			return nil
		}
		t.literal(c)
	}
	return nil
}

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

// quantifier writes q and what may follow it: "?" makes it lazy, "+" possessive, which is a group that
// is not entered again.
func (t *translation) quantifier(q string) error {
	if t.atom < 0 {
		return bad("quantifier does not follow a repeatable item")
	}
	if t.skip("+") {
		t.slow = true
		t.out = slices.Insert(t.out, t.atom, []byte("(?>")...)
		t.out = append(append(t.out, q...), ')')
	} else {
		t.out = append(t.out, q...)
		if t.skip("?") != t.flags.lazy {
			t.out = append(t.out, '?')
		}
	}
	t.atom = -1
	return nil
}

// escape takes what follows a backslash, outside of classes.
func (t *translation) escape() error {
	if t.at == len(t.src) {
		return bad(`\ at end of pattern`)
	}
	c := t.src[t.at]
	if s, ok := named(c); ok {
		t.at++
		t.set(s)
		return nil
	}
	switch c {
	case 'p', 'P':
		s, err := t.property()
		t.set(s)
		return err
	case 'A', 'z', 'b', 'B':
		t.at++
		t.assert(`\` + string(c))
	case 'Z':
		t.at++
		t.slow = true
		t.assert(`(?=\n?\z)`)
	case 'G':
		t.at++
		t.assert(`\A`)
	case 'R':
		t.at++
		t.only("(?>\r\n|[\n-\r" + string(wideRune(0x85)) + "])")
	case 'N':
		t.at++
		t.put(`[^\n]`)
	case 'Q':
		t.at++
		return t.quoted()
	case 'E':
		t.at++
	case 'k', 'g':
		return t.reference()
	default:
		if '1' <= c && c <= '9' {
			if n, width := digits(t.rest(), 10, 3); n < 10 || n <= t.total {
				t.at += width
				t.refer(n)
				return nil
			}
		}
		b, err := t.char()
		if err != nil {
			return err
		}
		t.literal(b)
	}
	return nil
}

// only writes what Go's engine can't do.
func (t *translation) only(text string) {
	t.slow = true
	t.put(text)
}

func (t *translation) refer(n int) {
	t.refs = append(t.refs, n)
	t.only(`\k<` + strconv.Itoa(n) + `>`)
}

func (t *translation) quoted() error {
	text, after, _ := strings.Cut(t.rest(), `\E`)
	t.at = len(t.src) - len(after)
	for i := range len(text) {
		t.literal(text[i])
	}
	return nil
}

// reference takes \k<name>, \k'name', \k{name}, \g{name}, \gN, \g{N}, \g{-N}.
func (t *translation) reference() error {
	kind := t.src[t.at]
	t.at++
	name := ""
	for _, pair := range []string{"<>", "''", "{}"} {
		if (kind == 'k' || pair == "{}") && t.skip(pair[:1]) {
			var err error
			if name, err = t.until(pair[1:]); err != nil {
				return err
			}
			break
		}
	}
	if name == "" && kind == 'g' {
		i := 0
		for i < len(t.rest()) && (t.rest()[i] >= '0' && t.rest()[i] <= '9' || i == 0 && t.rest()[i] == '-') {
			i++
		}
		name = t.rest()[:i]
		t.at += i
	}
	n, err := t.number(name)
	if err == nil {
		t.refer(n)
	}
	return err
}

// number is a group's: by number, from the end when negative, or by name.
func (t *translation) number(name string) (int, error) {
	if n, err := strconv.Atoi(name); err == nil && n != 0 {
		if n < 0 {
			n += len(t.names)
		}
		if n > 0 {
			return n, nil
		}
	}
	if n := slices.Index(t.names, name); n > 0 && name != "" {
		return n, nil
	}
	return 0, bad("reference to non-existent group")
}

// digits reads up to most digits of a base.
func digits(s string, base, most int) (n, width int) {
	for width < len(s) && width < most {
		d, err := strconv.ParseUint(s[width:width+1], base, 8)
		if err != nil {
			break
		}
		n = n*base + int(d)
		width++
	}
	return n, width
}

// char takes an escaped character: \n, \x41, \012, \cA, or the character itself.
func (t *translation) char() (byte, error) {
	c := t.src[t.at]
	t.at++
	if i := strings.IndexByte("aefnrt", c); i >= 0 {
		return "\a\x1b\f\n\r\t"[i], nil
	}
	n, width := 0, 0
	switch {
	case c == 'c':
		if t.at == len(t.src) {
			return 0, bad(`\c at end of pattern`)
		}
		c = t.src[t.at]
		t.at++
		if 'a' <= c && c <= 'z' {
			c -= 32
		}
		return c ^ 0x40, nil
	case c == 'x' && t.skip("{"), c == 'o' && t.skip("{"):
		text, err := t.until("}")
		if err != nil {
			return 0, err
		}
		if n, width = digits(text, map[byte]int{'x': 16, 'o': 8}[c], 8); width != len(text) || width == 0 || n > 255 {
			return 0, bad("character code too large")
		}
		return byte(n), nil
	case c == 'x':
		n, width = digits(t.rest(), 16, 2)
		t.at += width
		return byte(n), nil
	case '0' <= c && c <= '7':
		t.at--
		n, width = digits(t.rest(), 8, 3)
		t.at += width
		if n > 255 {
			return 0, bad("octal value is greater than \\377")
		}
		return byte(n), nil
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return 0, bad("unrecognized character follows \\")
	}
	return c, nil
}
