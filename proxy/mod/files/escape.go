package files

import "strings"

// escapePath encodes a decoded path for a Location field (httpd: util.c ap_os_escape_path with partial set).
func escapePath(path string) string {
	const plain, digits = "$-_.+!*'(),:;@&=/~", "0123456789abcdef"
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c != 0 && strings.IndexByte(plain, c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}
