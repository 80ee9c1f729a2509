package upstream

import (
	"strings"
)

// IsBalancer reports whether a URL names a balancer, "balancer:" in any case.
func IsBalancer(url string) bool {
	return len(url) >= 9 && strings.EqualFold(url[:9], "balancer:")
}

// SplitURL is scheme and authority of scheme://authority[/path]. ok is false without "//" (httpd:
// proxy_util.c ap_proxy_canon_netloc).
func SplitURL(url string) (scheme, authority string, ok bool) {
	colon := strings.IndexByte(url, ':')
	if colon <= 0 || !strings.HasPrefix(url[colon+1:], "//") {
		return "", "", false
	}
	scheme, authority = url[:colon], url[colon+3:]
	if i := strings.IndexByte(authority, '/'); i >= 0 {
		authority = authority[:i]
	}
	return scheme, authority, true
}

// splitAuthority is host and port of [user@]host[:port]; port 0 is none. A port that is no number
// belongs to the name, which then will not resolve, as in httpd (APR: apr_parse_addr_port).
func splitAuthority(s string) (host string, port uint16, ok bool) {
	s = s[strings.LastIndexByte(s, '@')+1:]
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, false
		}
		port, ok = parsePort(s[end+1:])
		return s[1:end], port, ok || s[end+1:] == ""
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0, s != ""
	}
	if !allDigits(s[i+1:]) {
		return s, 0, true
	}
	port, ok = parsePort(s[i:])
	return s[:i], port, ok && i > 0
}

// parsePort reads ":80".
func parsePort(s string) (uint16, bool) {
	if len(s) < 2 || s[0] != ':' || !allDigits(s[1:]) {
		return 0, false
	}
	n := 0
	for i := 1; i < len(s) && n <= 65535; i++ {
		n = 10*n + int(s[i]-'0')
	}
	return uint16(n), 0 < n && n <= 65535
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || '9' < s[i] {
			return false
		}
	}
	return s != ""
}

// lowerText is a host name in lower case; the text itself when it is already.
func lowerText(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
