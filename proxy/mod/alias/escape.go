package alias

import "strings"

// plain are the characters that a path in a Location field needs no %XX for, beside letters and digits
// (httpd: gen_test_char.c T_OS_ESCAPE_PATH).
const plain = "$-_.+!*'(),:;@&=/~"

const hexDigits = "0123456789abcdef"

// escape encodes a decoded path (httpd: util.c ap_os_escape_path with partial set).
func escape(path string) string {
	n := 0
	for i := 0; i < len(path); i++ {
		if !isPlain(path[i]) {
			n++
		}
	}
	if n == 0 {
		return path
	}
	b := make([]byte, 0, len(path)+2*n)
	for i := 0; i < len(path); i++ {
		if c := path[i]; isPlain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return string(b)
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c != 0 && strings.IndexByte(plain, c) >= 0
}
