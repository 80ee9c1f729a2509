package wire

import "strings"

// targetFault is what is wrong with a request target.
type targetFault uint8

const (
	targetFine targetFault = iota
	badURI
	hasFragment
	hasUser
)

// parseTarget splits the target: origin-form, absolute-form, authority-form of CONNECT, or the asterisk
// of OPTIONS (RFC 9112 section 3.2; httpd: protocol.c ap_parse_uri). Of any other form RawPath is
// what the log shows.
func (r *Request) parseTarget(rules *Rules) targetFault {
	t := r.Target
	switch {
	case r.Method == "CONNECT":
		return r.authorityForm(t)
	case t[0] == '/':
		for len(t) > 1 && t[1] == '/' { // a path, not an authority
			t = t[1:]
		}
		return r.splitPath(t)
	}
	fault := r.absoluteForm(t, rules)
	if r.RawPath[0] != '/' && (r.RawPath != "*" || r.Method != "OPTIONS") {
		return badURI
	}
	return fault
}

// splitPath cuts path, query and fragment.
func (r *Request) splitPath(t string) targetFault {
	fault := targetFine
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '?':
			r.RawPath, r.Query, r.HasQuery = t[:i], t[i+1:], true
			if j := strings.IndexByte(r.Query, '#'); j >= 0 {
				r.Query, fault = r.Query[:j], hasFragment
			}
			return fault
		case '#':
			r.RawPath = t[:i]
			return hasFragment
		}
	}
	r.RawPath = t
	return fault
}

// absoluteForm reads [scheme:][//authority][path][?query]; without a path it is "/", or "*" of OPTIONS. The
// authority counts, even an empty one, when the scheme is the connection's own (apr: apr_uri.c apr_uri_parse).
func (r *Request) absoluteForm(t string, rules *Rules) targetFault {
	scheme, rest := CutScheme(t)
	if !strings.HasPrefix(rest, "//") {
		if segment, _, _ := strings.Cut(t, "/"); scheme == "" && strings.IndexByte(segment, ':') >= 0 {
			r.RawPath = t
			return badURI
		}
		return r.pathForm(rest)
	}
	rest = rest[2:]
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	fault := r.pathForm(rest[end:])
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
		if fault == targetFine {
			fault = hasUser
		}
	}
	host, port, ok := splitPort(authority)
	if !ok {
		r.RawPath, r.Query, r.HasQuery = scheme, "", false
		return badURI
	}
	own := "http"
	if rules.Secure {
		own = "https"
	}
	if EqualFold(scheme, own) {
		r.fromTarget, r.Authority, r.Host, r.Port = true, authority, host, port
	}
	return fault
}

// pathForm is splitPath for a path that may be empty.
func (r *Request) pathForm(t string) targetFault {
	fault := r.splitPath(t)
	if r.RawPath == "" {
		r.RawPath = "/"
		if r.Method == "OPTIONS" {
			r.RawPath = "*"
		}
	}
	return fault
}

// CutScheme splits the scheme off a URI reference; "" when it has none (RFC 3986 section 4.1).
func CutScheme(t string) (scheme, rest string) {
	if i := strings.IndexByte(t, ':'); i > 0 && isScheme(t[:i]) {
		return t[:i], t[i+1:]
	}
	return "", t
}

// authorityForm is host:port.
func (r *Request) authorityForm(t string) targetFault {
	host, port, ok := splitPort(t)
	if !ok || host == "" || port == 0 && !strings.HasSuffix(t, ":0") {
		return badURI
	}
	r.RawPath, r.fromTarget, r.Authority, r.Host, r.Port = "/", true, t, host, port
	return targetFine
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := lower(s[i])
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// splitPort splits host[:port]; the brackets of an IPv6 address stay on the host. An empty port is
// none, and so is a number that is no port.
func splitPort(s string) (host string, port int, ok bool) {
	host = s
	from := 0
	if s != "" && s[0] == '[' {
		if from = strings.IndexByte(s, ']'); from < 0 {
			return s, 0, false
		}
	}
	i := strings.IndexByte(s[from:], ':')
	if i < 0 {
		return host, 0, from == 0 || from == len(s)-1
	}
	host = s[:from+i]
	if from > 0 && from != len(host)-1 {
		return s, 0, false
	}
	port, _ = parsePort(s[from+i+1:])
	return host, port, digits(s[from+i+1:])
}

// parsePort reads digits up to 65535; none are 0.
func parsePort(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n = n*10 + int(s[i]-'0'); n > 65535 {
			return 0, false
		}
	}
	return n, true
}

// digits reports whether a text is nothing but digits, or empty.
func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
