package wire

// List is the rest of a comma-separated list (RFC 9110 section 5.6.1).
type List struct{ rest string }

// Next is the next element without surrounding blanks; empty ones are left out. false: no more.
func (l *List) Next() (string, bool) {
	for l.rest != "" {
		end := 0
		for end < len(l.rest) && l.rest[end] != ',' {
			end++
		}
		t := l.rest[:end]
		if end < len(l.rest) {
			end++
		}
		l.rest = l.rest[end:]
		for t != "" && (t[0] == ' ' || t[0] == '\t') {
			t = t[1:]
		}
		for t != "" && (t[len(t)-1] == ' ' || t[len(t)-1] == '\t') {
			t = t[:len(t)-1]
		}
		if t != "" {
			return t, true
		}
	}
	return "", false
}

// Lists reports whether a list has an element, in any case.
func Lists(value, token string) bool {
	for l := (List{value}); ; {
		t, ok := l.Next()
		if !ok {
			return false
		}
		if EqualFold(t, token) {
			return true
		}
	}
}

// decimal is n in digits.
func decimal(n int64) string {
	var b [20]byte
	return string(AppendInt(b[:0], n))
}
