package alias

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"strings"
)

// target is a redirect's URL taken apart, to be put together again as httpd does: the default port
// drops out, a password is not shown, the path is escaped and the query is not
// (httpd: apr_uri_parse, apr_uri_unparse).
type target struct {
	scheme, user, host, port, path  string
	query, fragment                 string
	number                          int // that the port begins with; 0 for none
	authority, hasUser, hasPassword bool
	hasQuery, hasFragment           bool
}

// rewritten is a URL made at request time, fit for a Location field.
func rewritten(url string) string {
	t := parse(url)
	out := exchange.EscapePath(t.bare())
	if t.hasQuery {
		out += "?" + t.query
	}
	if t.hasFragment {
		out += "#" + t.fragment
	}
	return out
}

func parse(url string) target {
	var t target
	rest := url
	if scheme, after, ok := strings.Cut(url, "://"); ok && isScheme(scheme) {
		t.scheme, rest, t.authority = scheme, after, true
	}
	if t.authority {
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		if !t.parseAuthority(rest[:end]) {
			return t
		}
		rest = rest[end:]
	}
	t.parsePath(rest)
	return t
}

// isScheme: what stands before "://" has no character that would end a scheme.
func isScheme(s string) bool { return s != "" && !strings.ContainsAny(s, "/?#:") }

// parseAuthority is false when the port is not all of it a number; the rest of the URL is then lost.
func (t *target) parseAuthority(s string) bool {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		t.user, _, t.hasPassword = strings.Cut(s[:at], ":")
		t.hasUser = true
		s = s[at+1:]
	}
	host, port, has := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		host, port, has = s[:end+1], "", false
		if after, ok := strings.CutPrefix(s[end+1:], ":"); ok {
			port, has = after, true
		}
	}
	t.host = host
	if !has || port == "" {
		return true
	}
	digits := len(port) - len(strings.TrimLeft(port, "0123456789"))
	t.port, t.number = port, directive.Atoi(port[:digits])
	return digits == len(port)
}

func (t *target) parsePath(s string) {
	end := strings.IndexAny(s, "?#")
	if end < 0 {
		t.path = s
		return
	}
	t.path = s[:end]
	if s[end] == '#' {
		t.fragment, t.hasFragment = s[end+1:], true
		return
	}
	t.hasQuery = true
	t.query, t.fragment, t.hasFragment = strings.Cut(s[end+1:], "#")
}

var defaultPorts = map[string]int{"http": 80, "https": 443, "ftp": 21, "gopher": 70, "ldap": 389, "nntp": 119, "snews": 563,
	"imap": 143, "pop": 110, "sip": 5060, "rtsp": 554, "wais": 210, "z39.50r": 210, "z39.50s": 210, "prospero": 191,
	"nfs": 2049, "tip": 3372, "acap": 674, "telnet": 23, "ssh": 22}

// bare is the URL without query and fragment.
func (t *target) bare() string {
	if !t.authority {
		return t.path
	}
	out := t.scheme + "://" + t.login() + t.host
	if t.number != 0 && t.number != defaultPorts[strings.ToLower(t.scheme)] {
		out += ":" + t.port
	}
	return out + t.path
}

func (t *target) login() string {
	switch {
	case !t.hasUser:
		return ""
	case t.hasPassword:
		return t.user + ":XXXXXXXX@"
	}
	return t.user + "@"
}
