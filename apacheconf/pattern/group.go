package pattern

import (
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
		t.enter("(")
		return nil
	}
	for _, kind := range []string{":", "=", "!", "<=", "<!", ">"} {
		if t.skip(kind) {
			t.slow = t.slow || kind != ":"
			t.enter("(?" + kind)
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

// enter opens a group: the flags hold until it closes.
func (t *translation) enter(text string) {
	t.stack = append(t.stack, t.flags)
	t.open = append(t.open, len(t.out))
	t.assert(text)
}

func (t *translation) close() error {
	n := len(t.stack) - 1
	if n < 0 {
		return bad("unmatched closing parenthesis")
	}
	t.flags, t.stack = t.stack[n], t.stack[:n]
	t.out = append(t.out, ')')
	t.atom, t.open = t.open[n], t.open[:n]
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
	t.enter("(") // both engines number it in order; its name is kept here
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
		t.enter("(?")
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
	t.enter("(?(" + strconv.Itoa(n) + ")")
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
			t.enter(pick(f.fold, "(?i:", "(?-i:"))
			t.flags = f
			return nil
		default:
			return bad("unrecognized character after (?")
		}
	}
	return bad("missing closing parenthesis")
}
