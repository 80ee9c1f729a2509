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

// upgradeSeparators stand between what upgrade= allows.
var upgradeSeparators = SeparatorsOf(",; \t\"")

// MayUpgrade reports whether an Upgrade field's value is allowed by a worker's upgrade=, which is not empty: the value
// begins with it, or with one of its tokens (httpd: proxy_util.c ap_proxy_worker_can_upgrade, util.c ap_find_token).
func MayUpgrade(allowed, value string) bool {
	if allowed == "*" || beginsWith(value, allowed) {
		return true
	}
	for t, after := upgradeSeparators.next(allowed); t != ""; t, after = upgradeSeparators.next(after) {
		if beginsWith(value, t) {
			return true
		}
	}
	return false
}

// beginsWith compares without regard to case.
func beginsWith(s, prefix string) bool {
	return len(s) >= len(prefix) && EqualFold(s[:len(prefix)], prefix)
}

// TrimBlanks is a text without the blanks and tabs around it.
func TrimBlanks(s string) string {
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
