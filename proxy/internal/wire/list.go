package wire

// List is the rest of a comma-separated list (RFC 9110 section 5.6.1).
type List struct{ rest string }

var commas = SeparatorsOf(",")

// Next is the next element without surrounding blanks; empty ones are left out. false: no more.
func (l *List) Next() (element string, ok bool) {
	element, l.rest = commas.next(l.rest)
	return element, element != ""
}

// Lists reports whether a list has an element, in any case.
func Lists(value, token string) bool { return commas.Lists(value, token) }

// trimBlanks is a text without the blanks and tabs around it.
func trimBlanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// decimal is n in digits.
func decimal(n int64) string {
	var b [20]byte
	return string(AppendInt(b[:0], n))
}
