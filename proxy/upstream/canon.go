package upstream

import (
	"strings"

	"balancerd/proxy/exchange"
)

// plainByte is true for the bytes of a path that go to a member as they are (httpd: proxy_util.c
// ap_proxy_canonenc_ex with enc_path).
var plainByte = func() (t [256]bool) {
	for c := range 256 {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	for _, c := range []byte("~$-_.+!*'(),;:@&=/") {
		t[c] = true
	}
	return t
}()

// encodePath writes a decoded path as a member gets it: every byte that is not plain as %XX. With
// slashes (AllowEncodedSlashes NoDecode) the encoded slashes that the site left in the path stay.
func encodePath(a *exchange.Arena, path string, slashes bool) string {
	i := 0
	for i < len(path) && plainByte[path[i]] {
		i++
	}
	if i == len(path) {
		return path
	}
	b := append(a.Scratch(3*len(path)), path[:i]...)
	for ; i < len(path); i++ {
		c := path[i]
		if plainByte[c] || slashes && c == '%' && isEncodedSlash(path[i+1:]) {
			b = append(b, c)
			continue
		}
		b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
	}
	return a.Keep(b)
}

// isEncodedSlash reports whether what follows a "%" makes it an encoded slash: 2f, or 252f for an encoded
// "%2f", and so on. What the site decodes under NoDecode leaves exactly these alone.
func isEncodedSlash(s string) bool {
	for strings.HasPrefix(s, "25") {
		s = s[2:]
	}
	return len(s) >= 2 && s[0] == '2' && s[1]|0x20 == 'f'
}

// visible reports whether a text has neither blanks nor control characters and so may stand in a request
// line (httpd: util.c ap_scan_vchar_obstext).
func visible(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
