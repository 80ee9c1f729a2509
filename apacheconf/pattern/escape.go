package pattern

import (
	"slices"
	"strconv"
	"strings"
)

// escapes are the characters behind a backslash, outside of classes, that stand for more than a character. A
// handler finds t.at on the character.
var escapes = [128]func(*translation) error{
	'd': (*translation).namedSet, 'w': (*translation).namedSet, 's': (*translation).namedSet, 'h': (*translation).namedSet, 'v': (*translation).namedSet,
	'D': (*translation).namedSet, 'W': (*translation).namedSet, 'S': (*translation).namedSet, 'H': (*translation).namedSet, 'V': (*translation).namedSet,
	'p': (*translation).propertySet, 'P': (*translation).propertySet, 'N': (*translation).noLineEnd, 'R': (*translation).lineEnd,
	'A': assertion(`\A`), 'z': assertion(`\z`), 'b': assertion(`\b`), 'B': assertion(`\B`), 'G': assertion(`\A`), 'Z': (*translation).lastLineEnd,
	'Q': (*translation).quoted, 'E': (*translation).endQuoted,
	'k': (*translation).reference, 'g': (*translation).reference,
	'1': (*translation).numbered, '2': (*translation).numbered, '3': (*translation).numbered, '4': (*translation).numbered, '5': (*translation).numbered,
	'6': (*translation).numbered, '7': (*translation).numbered, '8': (*translation).numbered, '9': (*translation).numbered,
}

// escape takes what follows a backslash, outside of classes.
func (t *translation) escape() error {
	if t.at == len(t.src) {
		return bad(`\ at end of pattern`)
	}
	if c := t.src[t.at]; c < 128 && escapes[c] != nil {
		return escapes[c](t)
	}
	return t.escapedLiteral()
}

func (t *translation) escapedLiteral() error {
	b, err := t.char()
	if err == nil {
		t.literal(b)
	}
	return err
}

func assertion(text string) func(*translation) error {
	return func(t *translation) error {
		t.at++
		t.assert(text)
		return nil
	}
}

func (t *translation) namedSet() error {
	s, _ := named(t.src[t.at])
	t.at++
	t.set(s)
	return nil
}

func (t *translation) propertySet() error {
	s, err := t.property()
	t.set(s)
	return err
}

func (t *translation) noLineEnd() error {
	t.at++
	t.put(`[^\n]`)
	return nil
}

// lineEnd is \R.
func (t *translation) lineEnd() error {
	t.at++
	t.slow = true
	ends := "\r\n|[\n-\r" + string(wideRune(0x85)) + "])"
	t.only("(?>"+ends, "(?:"+ends)
	return nil
}

// lastLineEnd is \Z: the end, or before a line end there.
func (t *translation) lastLineEnd() error {
	t.at++
	t.slow = true
	t.only(`(?=\n?\z)`, "(?:)")
	t.repeatable = false
	return nil
}

func (t *translation) quoted() error {
	text, after, _ := strings.Cut(t.src[t.at+1:], `\E`)
	t.at = len(t.src) - len(after)
	for i := range len(text) {
		t.literal(text[i])
	}
	return nil
}

func (t *translation) endQuoted() error {
	t.at++
	return nil
}

// numbered takes \1: a group; \10 and beyond are octal when there are less groups.
func (t *translation) numbered() error {
	n, width := digits(t.rest(), 10, 3)
	if n >= 10 && n > t.total {
		return t.escapedLiteral()
	}
	t.at += width
	t.refer(n)
	return nil
}

func (t *translation) refer(n int) {
	t.refs = append(t.refs, n)
	t.slow = true
	t.only(`\k<`+strconv.Itoa(n)+`>`, "(?s:.*)")
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

// chars are the letters and digits behind a backslash that stand for one character, inside of classes and
// outside; all other letters are errors, and what is neither means itself. A handler finds t.at behind the letter.
var chars = [128]func(*translation) (byte, error){
	'a': means('\a'), 'e': means('\x1b'), 'f': means('\f'), 'n': means('\n'), 'r': means('\r'), 't': means('\t'),
	'c': (*translation).control, 'x': (*translation).hexadecimal, 'o': (*translation).octalInBraces,
	'0': (*translation).octal, '1': (*translation).octal, '2': (*translation).octal, '3': (*translation).octal,
	'4': (*translation).octal, '5': (*translation).octal, '6': (*translation).octal, '7': (*translation).octal,
}

// char takes an escaped character: \n, \x41, \012, \cA, or the character itself.
func (t *translation) char() (byte, error) {
	c := t.src[t.at]
	t.at++
	switch {
	case c < 128 && chars[c] != nil:
		return chars[c](t)
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return 0, bad("unrecognized character follows \\")
	}
	return c, nil
}

func means(c byte) func(*translation) (byte, error) {
	return func(*translation) (byte, error) { return c, nil }
}

// control is \cA.
func (t *translation) control() (byte, error) {
	if t.at == len(t.src) {
		return 0, bad(`\c at end of pattern`)
	}
	c := t.src[t.at]
	t.at++
	if 'a' <= c && c <= 'z' {
		c -= 32
	}
	return c ^ 0x40, nil
}

// hexadecimal is \x41 or \x{41}.
func (t *translation) hexadecimal() (byte, error) {
	if t.skip("{") {
		return t.braced(16)
	}
	n, width := digits(t.rest(), 16, 2)
	t.at += width
	return byte(n), nil
}

// octalInBraces is \o{101}.
func (t *translation) octalInBraces() (byte, error) {
	if !t.skip("{") {
		return 0, bad("unrecognized character follows \\")
	}
	return t.braced(8)
}

func (t *translation) braced(base int) (byte, error) {
	text, err := t.until("}")
	if err != nil {
		return 0, err
	}
	n, width := digits(text, base, 8)
	if width != len(text) || width == 0 || n > 255 {
		return 0, bad("character code too large")
	}
	return byte(n), nil
}

// octal is \101.
func (t *translation) octal() (byte, error) {
	t.at--
	n, width := digits(t.rest(), 8, 3)
	t.at += width
	if n > 255 {
		return 0, bad("octal value is greater than \\377")
	}
	return byte(n), nil
}
