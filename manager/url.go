package manager

import (
	"fmt"
	"strings"
)

// linkPath escapes a decoded path. Two slashes in front would name a host.
func linkPath(path string) string {
	if strings.HasPrefix(path, "//") {
		path = "/." + path
	}
	return escape(path)
}

const unescaped = "$-_.+!*'(),:;@&=/~" // in a path; httpd: gen_test_char.c T_OS_ESCAPE_PATH

// inPath is %xx for everything but letters, digits and unescaped. inLink is for values in a query in an attribute
// of HTML, where slashes and colons stay, which programs expect to find, but not what ends the value. inURL is for
// a whole URL in an attribute: it leaves alone what has a meaning in a URL.
var (
	inPath = percent(unescaped)
	inLink = percent("$-_.!*,:@/~")
	inURL  = percent("!#$&*+,/:;=?@[]-._~%")
)

// percent is the table of %xx for all bytes but letters, digits and those of keep.
func percent(keep string) *[256]string {
	var t [256]string
	for i := range t {
		c := byte(i)
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte(keep, c) >= 0) {
			t[i] = fmt.Sprintf("%%%02x", c)
		}
	}
	return &t
}

// escape is s as part of a path.
func escape(s string) string {
	var o out
	o.replace(s, inPath)
	return string(o.b)
}

// url prints a URL as the value of an attribute: what could end the attribute, and a percent sign that begins no
// escape, is escaped.
func (o *out) url(s string) {
	var u out
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || hex(s[i+1]) < 0 || hex(s[i+2]) < 0) {
			u.put("%25")
		} else {
			u.replace(s[i:i+1], inURL)
		}
	}
	o.safe(string(u.b))
}
