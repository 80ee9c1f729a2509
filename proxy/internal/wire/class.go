package wire

import (
	"encoding/binary"
	"unsafe"
)

// class says what a byte may be part of (RFC 9110 section 5.6.2, RFC 9112 section 2).
type class uint8

const (
	isToken class = 1 << iota // tchar
	isText                    // visible, or above ASCII: what a request target may hold
	isSpace                   // what C calls a blank
)

// classes is the table of all bytes. Never written to.
var classes = classTable()

func classTable() (t [256]class) {
	for c := range 256 {
		if c > ' ' && c != 0x7f {
			t[c] |= isText
		}
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			t[c] |= isToken
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= isToken
	}
	for _, c := range " \t\n\v\f\r" {
		t[c] |= isSpace
	}
	return t
}

// IsToken reports whether s is a token, such as a field's name or a method.
func IsToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&isToken == 0 {
			return false
		}
	}
	return s != ""
}

// IsWord reports whether s is visible text without a blank: what a request line may be made of.
func IsWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&isText == 0 {
			return false
		}
	}
	return s != ""
}

// IsValue reports whether s may be a field's value: no control character but the tabulator.
func IsValue(s string) bool { return clean(bytesOf(s)) }

// bytesOf is a text's bytes without a copy, to be read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

const (
	each01 = 0x0101010101010101
	each80 = 0x8080808080808080
)

// clean looks at eight bytes at a time for one below 0x20 or equal to 0x7f, and closer when there is
// one: a tabulator may be.
func clean(b []byte) bool {
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		low := (x - 0x20*each01) &^ x
		y := x ^ 0x7f*each01
		del := (y - each01) &^ y
		if (low|del)&each80 != 0 && !cleanBytes(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return cleanBytes(b)
}

func cleanBytes(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// view is b as text without a copy.
func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// trim takes blanks and tabulators off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
