package exchange

import "strings"

// pathPlain are the characters that a path in a Location field needs no %XX for, beside letters and digits
// (httpd: gen_test_char.c T_OS_ESCAPE_PATH).
const pathPlain = "$-_.+!*'(),:;@&=/~"

// EscapePath encodes a decoded path for a Location field; one that needs no %XX is returned as it is
// (httpd: util.c ap_os_escape_path with partial set).
func EscapePath(path string) string {
	n := 0
	for i := 0; i < len(path); i++ {
		if !isPathPlain(path[i]) {
			n++
		}
	}
	if n == 0 {
		return path
	}
	const digits = "0123456789abcdef"
	b := make([]byte, 0, len(path)+2*n)
	for i := 0; i < len(path); i++ {
		if c := path[i]; isPathPlain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

func isPathPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c != 0 && strings.IndexByte(pathPlain, c) >= 0
}

// HasScheme reports whether a text begins with a scheme and a colon (httpd: util.c ap_is_url).
func HasScheme(s string) bool {
	i := strings.IndexByte(s, ':')
	for k := range max(i, 0) {
		c := s[k]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.') {
			return false
		}
	}
	return i > 0
}
