package rewrite

import (
	"strings"

	"balancerd/proxy/exchange"
)

const hexDigits = "0123456789abcdef"

// escapeGroup is a group as the rule's B, BNP, BNE and BCTLS have it (httpd: mod_rewrite.c escape_backref).
func (r *rule) escapeGroup(group string) string {
	b := make([]byte, 0, len(group)+16)
	for i := 0; i < len(group); i++ {
		switch c := group[i]; {
		case !r.escapesByte(c), isWord(c):
			b = append(b, c)
		case c == ' ' && r.flags&blankAsHex == 0:
			b = append(b, '+')
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return string(b)
}

// escapesByte reports whether the flags want a byte escaped, if it is none of those that never are.
func (r *rule) escapesByte(c byte) bool {
	wanted := r.escapes == ""
	if r.flags&escapeControls != 0 {
		wanted = !isVisible(c)
	}
	wanted = wanted || strings.IndexByte(r.escapes, c) >= 0
	return wanted && strings.IndexByte(r.plain, c) < 0
}

func isWord(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_'
}

// isVisible reports whether a byte may stand in a request line: no blank, no control character.
func isVisible(c byte) bool { return c > ' ' && c != 0x7f }

func allVisible(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isVisible(s[i]) {
			return false
		}
	}
	return true
}

// escapeURL escapes what stands behind the host of a URL, of a scheme without host all behind the scheme, whose length
// with "://" is given. The parts of an LDAP URL stay apart (httpd: mod_rewrite.c escape_absolute_uri).
func escapeURL(url string, scheme int) string {
	at := scheme
	if url[scheme-1] == '/' {
		slash := strings.IndexByte(url[scheme:], '/')
		if slash < 0 || scheme+slash+1 == len(url) {
			return url
		}
		at = scheme + slash + 1
	}
	parts := []string{url[at:]}
	if len(url) >= 4 && at > scheme && exchange.EqualFold(url[:4], "ldap") {
		parts = strings.SplitN(url[at:], "?", 5)
	}
	for i, p := range parts {
		parts[i] = exchange.EscapePath(p)
	}
	return url[:at] + strings.Join(parts, "?")
}
