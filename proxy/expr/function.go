package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"

	"balancerd/proxy/exchange"
)

// function is one func(argument).
type function struct {
	name       string
	restricted bool // not where Options.Restricted or AccessFile
	f          func(r *run, arg string) string
}

// functions are those that return a text (httpd: util_expr_eval.c string_func_providers).
var functions = [...]function{
	{"osenv", false, func(_ *run, name string) string { return os.Getenv(name) }},
	{"env", false, env},
	{"resp", false, resp},
	{"req", false, req},
	{"http", false, req},
	{"note", false, func(r *run, name string) string { return r.x.Notes.Value(name) }},
	{"reqenv", false, func(r *run, name string) string { return r.x.Env.Value(name) }},
	{"req_novary", false, func(r *run, name string) string { return r.x.Req.Header.Get(name) }},
	{"tolower", false, func(r *run, s string) string { return mapBytes(r, s, 'A', 'Z') }},
	{"toupper", false, func(r *run, s string) string { return mapBytes(r, s, 'a', 'z') }},
	{"escape", false, escapePath},
	{"unescape", false, unescape},
	{"file", true, fileText},
	{"filesize", true, fileSize},
	{"base64", false, encode64},
	{"unbase64", false, decode64},
	{"sha1", false, sha1Hex},
	{"md5", false, md5Hex},
	{"ldap", false, escapeLDAP},
}

func (p *parser) stringFunc(name string, arg word) word {
	if p.failed {
		return literal("")
	}
	for i := range functions {
		f := &functions[i]
		if !exchange.EqualFold(f.name, name) {
			continue
		}
		if f.restricted && (p.o.Restricted || p.o.AccessFile) {
			p.name = f.name + " not available in restricted context"
			return literal("")
		}
		return &call{name: name, f: f.f, arg: arg}
	}
	switch {
	case exchange.EqualFold(name, "hc"):
		return &call{name: name, f: hc, arg: arg}
	case exchange.EqualFold(name, "SSL") && !p.o.NoTLS:
		return &call{name: name, f: tlsLookup, arg: arg}
	}
	p.name = "Function '" + name + "' does not exist"
	return literal("")
}

// listFunc is needle in name(arg). There is one such function (httpd: ssl_engine_vars.c ssl_expr_lookup).
func (p *parser) listFunc(name string, needle, arg word) test {
	if p.failed {
		return truth(false)
	}
	if exchange.EqualFold(name, "PeerExtList") && !p.o.NoTLS {
		return &memberOf{needle: needle, name: name, f: peerExtensions, arg: arg}
	}
	p.name = "List-returning function '" + name + "' does not exist"
	return truth(false)
}

func req(r *run, name string) string {
	r.needs(name)
	return r.x.Req.Header.Get(name)
}

// resp looks at the answer's ordinary fields first (httpd: util_expr_eval.c req_table_func).
func resp(r *run, name string) string {
	if v, ok := r.x.Res.Header.Lookup(name); ok {
		return v
	}
	return r.x.Res.Always.Get(name)
}

// env is the first of a note, a variable of the request, one of the process.
func env(r *run, name string) string {
	if v, ok := r.x.Notes.Get(name); ok {
		return v
	}
	if v, ok := r.x.Env.Get(name); ok {
		return v
	}
	return os.Getenv(name)
}

// hc is the answer's body for hc('body'), in a health check's expression.
func hc(r *run, what string) string {
	if !exchange.EqualFold(what, "body") {
		return ""
	}
	return hcBody(r)
}

func hcBody(r *run) string {
	if !r.o.HC || r.x.Res.Body == nil {
		return ""
	}
	return cString(string(r.x.Res.Body.Buffered()))
}

// cString ends a text at its first NUL, as httpd's texts do.
func cString(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// mapBytes flips the case of the letters from lo to hi.
func mapBytes(r *run, s string, lo, hi byte) string {
	i := 0
	for i < len(s) && (s[i] < lo || s[i] > hi) {
		i++
	}
	if i == len(s) {
		return s
	}
	b := append(r.x.Arena.Scratch(len(s)), s...)
	for ; i < len(b); i++ {
		if lo <= b[i] && b[i] <= hi {
			b[i] ^= 0x20
		}
	}
	return r.x.Arena.Keep(b)
}

const lowerHex = "0123456789abcdef"

// escapePath makes a text fit for a URL's path (httpd: util.c ap_os_escape_path).
func escapePath(r *run, s string) string {
	b := r.x.Arena.Scratch(3 * len(s))
	for i := 0; i < len(s); i++ {
		if c := s[i]; isLetter(c) || isDigit(c) || strings.IndexByte("$-_.+!*'(),:;@&=/~", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', lowerHex[c>>4], lowerHex[c&15])
		}
	}
	return r.x.Arena.Keep(b)
}

// unescape undoes %xx, but for %2f, which stays. A wrong escape or %00 makes it all empty
// (httpd: util.c ap_unescape_url_keep2f).
func unescape(r *run, s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := r.x.Arena.Scratch(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		c, ok := hexByte(s[i+1:])
		switch {
		case !ok || c == 0:
			return ""
		case c == '/':
			b = append(b, s[i:i+3]...)
		default:
			b = append(b, c)
		}
		i += 2
	}
	return r.x.Arena.Keep(b)
}

func hexByte(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, ok1 := hexDigit(s[0])
	lo, ok2 := hexDigit(s[1])
	return hi<<4 | lo, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func encode64(r *run, s string) string {
	n := base64.StdEncoding.EncodedLen(len(s))
	return r.x.Arena.Keep(base64.StdEncoding.AppendEncode(r.x.Arena.Scratch(n), []byte(s)))
}

// decode64 decodes up to the first character that base64 has not (APR: apr_base64.c).
func decode64(r *run, s string) string {
	end := 0
	for end < len(s) && (isLetter(s[end]) || isDigit(s[end]) || s[end] == '+' || s[end] == '/') {
		end++
	}
	if end%4 == 1 {
		end-- // six bits are no byte
	}
	b, _ := base64.RawStdEncoding.AppendDecode(r.x.Arena.Scratch(len(s)), []byte(s[:end]))
	return cString(r.x.Arena.Keep(b))
}

func sha1Hex(r *run, s string) string {
	sum := sha1.Sum([]byte(s))
	return r.x.Arena.Keep(hex.AppendEncode(r.x.Arena.Scratch(40), sum[:]))
}

func md5Hex(r *run, s string) string {
	sum := md5.Sum([]byte(s))
	return r.x.Arena.Keep(hex.AppendEncode(r.x.Arena.Scratch(32), sum[:]))
}

// escapeLDAP escapes for a distinguished name and a filter at once (APR: apr_escape.c
// apr_escape_ldap with APR_ESCAPE_LDAP_ALL).
func escapeLDAP(r *run, s string) string {
	b := r.x.Arena.Scratch(3 * len(s))
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f || strings.IndexByte(`"+,;<>\*()`, c) >= 0 {
			b = append(b, '\\', lowerHex[c>>4], lowerHex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return r.x.Arena.Keep(b)
}
