package pattern

import (
	"strings"
	"unicode"
)

// class takes [ … ] as a set of bytes.
func (t *translation) class() error {
	var s byteSet
	if i := posixEnd(t.src[t.at-1:]); i > 0 {
		return bad("POSIX named classes are supported only within a class")
	}
	not := t.skip("^")
	last, may := 0, false // the character before, -1 when it was a set; and whether "-" makes a range of it
	for first := true; ; first = false {
		if t.at == len(t.src) {
			return bad("missing terminating ] for character class")
		}
		if !first && t.skip("]") {
			break
		}
		if t.skip(`\E`) {
			continue
		}
		if t.skip(`\Q`) {
			text, after, _ := strings.Cut(t.rest(), `\E`)
			t.at = len(t.src) - len(after)
			for i := range len(text) {
				s.add(text[i])
			}
			may = false
			continue
		}
		if may && t.rest()[0] == '-' && len(t.rest()) > 1 && t.rest()[1] != ']' {
			if err := t.span(&s, last); err != nil {
				return err
			}
			may = false
			continue
		}
		c, set, err := t.member()
		if err != nil {
			return err
		}
		s.join(set)
		last, may = c, true
	}
	if t.flags.fold {
		s = s.folded()
	}
	if not {
		s = s.not()
	}
	t.set(s)
	return nil
}

// span takes "-x" after a member of a class. Sets can't end a range.
func (t *translation) span(s *byteSet, from int) error {
	t.at++
	c, _, err := t.member()
	switch {
	case err != nil:
		return err
	case from < 0 || c < 0:
		return bad("invalid range in character class")
	case c < from:
		return bad("range out of order in character class")
	}
	s.span(byte(from), byte(c))
	return nil
}

// posixEnd is the length of [:name:], [.x.] or [=x=] at the beginning of s.
func posixEnd(s string) int {
	if len(s) < 2 || s[0] != '[' || strings.IndexByte(":.=", s[1]) < 0 {
		return 0
	}
	for i := 2; i+1 < len(s); i++ {
		switch {
		case s[i] == s[1] && s[i+1] == ']':
			return i + 2
		case s[i] == ']', s[i] == '[' && s[i+1] == s[1]:
			return 0
		case s[i] == '\\' && (s[i+1] == ']' || s[i+1] == '\\'):
			i++
		}
	}
	return 0
}

// property takes p{L}, pL, P{L} or p{^L}: by Unicode's categories, for the bytes as Latin-1.
func (t *translation) property() (set byteSet, err error) {
	not := t.src[t.at] == 'P'
	t.at++
	name := ""
	if t.skip("{") {
		if name, err = t.until("}"); err != nil {
			return set, err
		}
	} else if len(t.rest()) > 0 {
		name = t.rest()[:1]
		t.at++
	}
	if strings.HasPrefix(name, "^") {
		name, not = name[1:], !not
	}
	table := unicode.Categories[name]
	if table == nil {
		table = unicode.Scripts[name]
	}
	if table == nil && name != "Any" {
		return set, bad("unknown property")
	}
	for c := range 256 {
		if table == nil || unicode.Is(table, rune(c)) {
			set.add(byte(c))
		}
	}
	if not {
		set = set.not()
	}
	return set, nil
}

// member takes one element of a class: a character, or a set when char is -1.
func (t *translation) member() (char int, set byteSet, err error) {
	if n := posixEnd(t.rest()); n > 0 {
		set, ok := posix(t.rest()[2 : n-2])
		if !ok || t.rest()[1] != ':' {
			return 0, set, bad("unknown POSIX class name")
		}
		t.at += n
		return -1, set, nil
	}
	c := t.src[t.at]
	t.at++
	if c != '\\' {
		set.add(c)
		return int(c), set, nil
	}
	if t.at == len(t.src) {
		return 0, set, bad(`\ at end of pattern`)
	}
	if set, ok := named(t.src[t.at]); ok {
		t.at++
		return -1, set, nil
	}
	switch {
	case t.src[t.at] == 'p', t.src[t.at] == 'P':
		set, err = t.property()
		return -1, set, err
	case t.skip("b"):
		c = '\b'
	default:
		if c, err = t.char(); err != nil {
			return 0, set, err
		}
	}
	set.add(c)
	return int(c), set, nil
}
