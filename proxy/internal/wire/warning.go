package wire

import "strings"

// Warnings is the rest of a Warning field (RFC 7234 section 5.5). What is no warning in it is passed over.
type Warnings struct{ rest string }

// WarningsOf are the warnings of a field's value.
func WarningsOf(value string) Warnings { return Warnings{value} }

// Next is the next warning as it stands, and the date in it, "" when it has none. false: no more.
func (w *Warnings) Next() (text, date string, ok bool) {
	for w.rest != "" {
		end, date := warning(w.rest)
		if end == 0 {
			w.rest = w.rest[1:]
			continue
		}
		text, w.rest = w.rest[:end], w.rest[end:]
		return text, date, true
	}
	return "", "", false
}

// warning measures the warning at the beginning of s: 3 digits, an agent, a quoted text and perhaps a quoted date, with
// blanks in between. end is 0 when there is none.
func warning(s string) (end int, date string) {
	if len(s) < 3 || span(s[:3], isDigit) < 3 {
		return 0, ""
	}
	at := 3
	for _, part := range [...]func(byte) bool{isBlank, isVisible, isBlank} {
		n := span(s[at:], part)
		if n == 0 {
			return 0, ""
		}
		at += n
	}
	text, ok := quotedText(s[at:])
	if !ok {
		return 0, ""
	}
	end = at + len(text) + 2
	if blanks := span(s[end:], isBlank); blanks > 0 {
		if date, ok := quotedText(s[end+blanks:]); ok && date != "" {
			return end + blanks + len(date) + 2, date
		}
	}
	return end, ""
}

// span is how many bytes at the beginning of s are of a kind.
func span(s string, kind func(byte) bool) (n int) {
	for n < len(s) && kind(s[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool   { return '0' <= c && c <= '9' }
func isBlank(c byte) bool   { return c == ' ' || c == '\t' }
func isVisible(c byte) bool { return !isBlank(c) }

// quotedText is what stands between quotes at the beginning of s. Nothing escapes a quote.
func quotedText(s string) (text string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", false
	}
	text, _, ok = strings.Cut(s[1:], `"`)
	return text, ok
}
