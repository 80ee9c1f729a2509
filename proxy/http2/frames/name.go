package frames

import "balancerd/proxy/internal/wire"

// LowerToken reports whether a text may be a field's name (RFC 9113 section 8.2.1): a token without upper-case letters.
func LowerToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return wire.IsToken(s)
}

// Canonicalize makes a field's name the one that HTTP/1 writes: "x-some-name" becomes "X-Some-Name" (httpd: h2_util.c
// h2_util_camel_case_header).
func Canonicalize(name []byte) {
	first := true
	for i, c := range name {
		if first && c >= 'a' && c <= 'z' {
			name[i] = c - 0x20
		}
		first = c == '-'
	}
}
