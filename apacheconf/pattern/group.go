package pattern

import (
	"bytes"
	"strconv"
	"strings"
)

// group takes what begins with "(".
func (t *translation) group() error {
	switch {
	case t.skip("?#"):
		_, err := t.until(")")
		return err // what came before may still be repeated
	case t.skip("*"):
		return bad("verbs are not known")
	case !t.skip("?"):
		t.names = append(t.names, "")
		t.enter("(", "(", plainGroup)
		return nil
	}
	for _, g := range groupKinds {
		if t.skip(g.text) {
			t.enterGroup(g.text, g.kind)
			return nil
		}
	}
	for _, pair := range []string{"P<>", "<>", "''"} {
		if n := len(pair) - 1; t.skip(pair[:n]) {
			return t.namedGroup(pair[n:])
		}
	}
	switch {
	case t.skip("P="):
		return t.namedReference()
	case t.skip("("):
		return t.condition()
	}
	return t.options()
}

// groupKinds are the groups that capture nothing, by what follows "(?". ("<=" and "<!" come before any "<name>".)
var groupKinds = []struct {
	text string
	kind groupKind
}{{":", plainGroup}, {"=", lookGroup}, {"!", lookGroup}, {"<=", lookGroup}, {"<!", lookGroup}, {">", plainGroup}}

func (t *translation) enterGroup(text string, kind groupKind) {
	ahead := text == "=" || text == "!"
	if ahead && !t.noGuards && len(t.open) == 0 && onePlace(t.out) {
		kind = guardGroup
	}
	t.enter("(?"+text, "(?:", kind)
	t.slow = t.slow && kind != guardGroup || kind == lookGroup || text == ">"
}

// guard is look-ahead that stands at one place in the subject, at the beginning or behind a text there: another expression
// to ask, so that Go's engine can take both.
type guard struct {
	expr string
	want bool // that it matches
}

// onePlace reports whether out so far is the subject's beginning and plain characters: it matches at one place only.
func onePlace(out []byte) bool {
	out, anchored := cutAnchor(out)
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '\\' && i+3 < len(out) && out[i+1] == 'x':
			i += 3
		case strings.IndexByte(`\.+*?()[]{}|^$`, c) >= 0:
			return false
		}
	}
	return anchored
}

func cutAnchor(out []byte) (rest []byte, ok bool) {
	for _, flags := range []string{"(?i)", "(?-i)"} {
		out = bytes.TrimPrefix(out, []byte(flags))
	}
	for _, anchor := range []string{"^", `\A`} {
		if rest, ok := bytes.CutPrefix(out, []byte(anchor)); ok {
			return rest, true
		}
	}
	return out, false
}

// guard takes the look-ahead that just ended out of the expression, unless something in it keeps it there: groups that
// capture, or what only the backtracking engine has.
func (t *translation) guard(g opening) bool {
	slow := t.slow
	if t.slow = true; slow || len(t.names) != g.names {
		return false
	}
	head, text := string(t.out[:g.begin.out]), string(t.out[g.begin.out:])
	t.guards = append(t.guards, guard{head + "(?:" + text[len("(?="):] + ")", text[len("(?")] == '='})
	t.out, t.loose = t.out[:g.begin.out], t.loose[:g.begin.loose]
	t.slow, t.atom, t.repeatable = g.slow, noPlace, true
	return true
}

// enter opens a group: the flags hold until it closes.
func (t *translation) enter(out, loose string, kind groupKind) {
	t.open = append(t.open, opening{flags: t.flags, begin: t.here(), kind: kind, slow: t.slow, names: len(t.names)})
	t.only(out, loose)
	t.repeatable = false
}

func (t *translation) close() error {
	n := len(t.open) - 1
	if n < 0 {
		return bad("unmatched closing parenthesis")
	}
	g := t.open[n]
	t.flags, t.open = g.flags, t.open[:n]
	if g.kind == guardGroup && t.guard(g) {
		return nil
	}
	t.out = append(t.out, ')')
	switch g.kind {
	case lookGroup, guardGroup:
		t.loose = append(t.loose[:g.begin.loose], "(?:)"...)
	case conditionGroup:
		t.loose = append(t.loose, "|)"...)
	default:
		t.loose = append(t.loose, ')')
	}
	t.atom, t.repeatable = g.begin, true
	return nil
}

func (t *translation) namedGroup(end string) error {
	name, err := t.until(end)
	if err != nil {
		return err
	}
	if !isName(name) {
		return bad("a group's name must be a word")
	}
	t.names = append(t.names, name)
	t.enter("(", "(", plainGroup) // both engines number it in order; its name is kept here
	return nil
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

func (t *translation) namedReference() error {
	name, err := t.until(")")
	if err != nil {
		return err
	}
	n, err := t.number(name)
	if err == nil {
		t.refer(n)
	}
	return err
}

// condition takes (?(1)yes|no), (?(<name>)…), (?(?=…)…).
func (t *translation) condition() error {
	t.slow = true
	if strings.HasPrefix(t.rest(), "?") {
		t.at--
		t.enter("(?", "(?:", conditionGroup)
		return nil
	}
	name, err := t.until(")")
	if err != nil {
		return err
	}
	n, err := t.number(strings.Trim(name, "<>'"))
	if err != nil {
		return err
	}
	t.refs = append(t.refs, n)
	t.enter("(?("+strconv.Itoa(n)+")", "(?:", conditionGroup)
	return nil
}

// options takes (?flags) and (?flags:…).
func (t *translation) options() error {
	f, on := t.flags, true
	for i, c := range []byte(t.rest()) {
		switch c {
		case '-':
			on = false
		case '^':
			f = modes{}
		case 'i':
			f.fold = on
		case 'm':
			f.multi = on
		case 's':
			f.dot = on
		case 'x':
			f.extended = on
		case 'U':
			f.lazy = on
		case 'J', 'n':
			if c == 'n' && on {
				return bad("option n is not known")
			}
		case ')':
			t.at += i + 1
			t.flags = f
			t.assert(pick(f.fold, "(?i)", "(?-i)"))
			return nil
		case ':':
			t.at += i + 1
			text := pick(f.fold, "(?i:", "(?-i:")
			t.enter(text, text, plainGroup)
			t.flags = f
			return nil
		default:
			return bad("unrecognized character after (?")
		}
	}
	return bad("missing closing parenthesis")
}
