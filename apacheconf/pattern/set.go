package pattern

import "strings"

// byteSet is a class: the bytes that it holds.
type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

// hasAny reports whether the sets share a byte.
func (s byteSet) hasAny(other byteSet) bool {
	for i := range s {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

func (s *byteSet) span(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s.add(byte(c))
	}
}

func (s *byteSet) join(other byteSet) {
	for i := range s {
		s[i] |= other[i]
	}
}

func (s byteSet) not() byteSet {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}

// folded holds each ASCII letter in both cases; other bytes have none (PCRE's tables of the C locale).
func (s byteSet) folded() byteSet {
	for c := byte('a'); c <= 'z'; c++ {
		if s.has(c) || s.has(c-32) {
			s.add(c)
			s.add(c - 32)
		}
	}
	return s
}

// ranges makes a set of "az09": pairs of first and last.
func ranges(pairs string) (s byteSet) {
	for i := 0; i+1 < len(pairs); i += 2 {
		s.span(pairs[i], pairs[i+1])
	}
	return s
}

// named are the sets that have a letter; the capital letter is the rest.
func named(letter byte) (s byteSet, ok bool) {
	switch letter | 0x20 {
	case 'd':
		s = ranges("09")
	case 'w':
		s = ranges("09AZ__az")
	case 's':
		s = ranges("\t\r  ")
	case 'h':
		s = ranges("\t\t  \xa0\xa0")
	case 'v':
		s = ranges("\n\r\x85\x85")
	default:
		return s, false
	}
	if letter&0x20 == 0 {
		s = s.not()
	}
	return s, true
}

// posix are the sets of [:name:].
func posix(name string) (s byteSet, ok bool) {
	name, not := strings.CutPrefix(name, "^")
	pairs := map[string]string{
		"alpha": "AZaz", "digit": "09", "alnum": "09AZaz", "upper": "AZ", "lower": "az", "space": "\t\r  ", "blank": "\t\t  ",
		"punct": "!/:@[`{~", "print": " ~", "graph": "!~", "cntrl": "\x00\x1f\x7f\x7f", "xdigit": "09AFaf", "word": "09AZ__az", "ascii": "\x00\x7f",
	}[name]
	if s = ranges(pairs); not {
		s = s.not()
	}
	return s, pairs != ""
}

// highBase is where the bytes beyond ASCII go: to runes for private use, which have no case and belong
// to no class. Both engines know runes only; a byte beyond ASCII is one such rune to them.
const highBase = 0xE000

func wideRune(c byte) rune {
	if c < 0x80 {
		return rune(c)
	}
	return highBase + rune(c)
}

// narrowRune is the byte of a rune that an engine sees. ok is false for a rune that no subject holds.
func narrowRune(r rune) (c byte, ok bool) {
	if r < 0x80 {
		return byte(r), r >= 0
	}
	return byte(r - highBase), highBase+0x80 <= r && r <= highBase+0xFF
}

// write appends the set as a class that both engines read.
func (s byteSet) write(b []byte) []byte {
	if s == (byteSet{}) {
		return append(b, "[^\\x00-\U0010FFFF]"...)
	}
	b = append(b, '[')
	for c := 0; c < 256; c++ {
		if !s.has(byte(c)) {
			continue
		}
		last := c
		for last+1 < 256 && last+1 != 0x80 && s.has(byte(last+1)) {
			last++
		}
		b = classByte(b, byte(c))
		if last > c {
			b = append(b, '-')
			b = classByte(b, byte(last))
		}
		c = last
	}
	return append(b, ']')
}

func classByte(b []byte, c byte) []byte {
	if c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' {
		return append(b, string(wideRune(c))...)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'x', hex[c>>4], hex[c&15])
}

// wide is a subject as the engines see it: s itself when it is ASCII.
func wide(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			b := make([]byte, 0, len(s)+32)
			for j := 0; j < len(s); j++ {
				b = append(b, string(wideRune(s[j]))...)
			}
			return string(b)
		}
	}
	return s
}

// narrow turns offsets into wide(s) into offsets into s.
func narrow(s string, loc []int) {
	for k, at := range loc {
		i := 0
		for at > 0 {
			if at--; s[i] >= 0x80 {
				at -= 2
			}
			i++
		}
		if loc[k] >= 0 {
			loc[k] = i
		}
	}
}
