package balancer

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// Address is where a worker is. Immutable; made by ParseAddress.
type Address struct {
	URL    string // normalised: scheme and host in lower case, no default port. httpd's worker name
	Scheme string
	Host   string // without the brackets of an IPv6 address
	Port   uint16 // the scheme's when the URL has none; 0 when that is unknown
	Path   string // of the URL: "/ctx", "" for none
	Socket string // absolute path of the unix socket, "" for TCP
	Match  bool   // of ProxyPassMatch: $1 in URL stands for any text
	Varies bool   // $1 in host or port: address and connections can't be kept
}

// Name is the worker's name in manager and log: "unix:/path|URL" or the URL
// (httpd: proxy_util.c ap_proxy_worker_name).
func (a Address) Name() string {
	if a.Socket == "" {
		return a.URL
	}
	return "unix:" + a.Socket + "|" + a.URL
}

// The longest texts of an address, in bytes (httpd: mod_proxy.h).
const (
	longestHost   = 255
	longestSocket = 95
)

// ParseAddress reads a worker's URL: scheme://host[:port][/path], after "unix:/path|" for a socket,
// whose path is relative to runtimeDir. match says that $0 to $9 may stand in host, port and path.
// The error's text is httpd's, without the name of the directive (httpd: proxy_util.c
// ap_proxy_define_worker_ex). Ports above 65535 are refused where httpd wraps them.
func ParseAddress(text, runtimeDir string, match bool) (Address, error) {
	a := Address{Match: match}
	rest := text
	if socket, url, ok := cutSocket(text); ok {
		if u, valid := parseURI("unix:" + socket); valid {
			rest = url
			if a.Socket = u.path; !filepath.IsAbs(u.path) {
				a.Socket = filepath.Join(runtimeDir, u.path)
			}
			a.Socket = strings.Clone(filepath.Clean(a.Socket))
		}
	}
	var port string
	if match {
		rest, port, a.Varies = liftPort(rest)
	}
	u, valid := parseURI(rest)
	if !valid {
		return a, fmt.Errorf("Unable to parse URL: %s", text)
	}
	if u.host == "" && a.Socket != "" {
		u.host = "localhost"
	}
	if u.scheme == "" || u.host == "" {
		return a, fmt.Errorf("URL must be absolute!: %s", text)
	}
	u.scheme, u.host, u.path = lower(u.scheme), lower(u.host), port+u.path
	return a, a.fill(u)
}

// fill completes a by a URL in lower case.
func (a *Address) fill(u uri) error {
	standard := PortOf(u.scheme)
	if u.port == standard && u.scheme != "uwsgi" { // whose port apr does not know
		u.port = 0
	}
	a.URL, a.Port = u.String(), u.port
	a.Scheme, a.Host, a.Path = within(a.URL, u.scheme), within(a.URL, u.host), within(a.URL, u.path)
	if a.Port == 0 {
		a.Port = standard
	}
	if len(a.Host) > longestHost {
		return fmt.Errorf("worker hostname (%s) too long", a.Host)
	}
	if len(a.Socket) > longestSocket {
		return fmt.Errorf("worker uds path (%s) too long", a.Socket)
	}
	return nil
}

// within is part as it stands in a URL, which is a text of its own: a worker outlives the configuration that names it,
// and must not keep that in memory.
func within(url, part string) string {
	if i := strings.Index(url, part); i >= 0 {
		return url[i : i+len(part)]
	}
	return strings.Clone(part)
}

// liftPort takes $1 and what follows it out of the port of a ProxyPassMatch URL, so that the rest
// parses: the text goes in front of the path. varies tells of a $ in host or port.
func liftPort(url string) (rest, lifted string, varies bool) {
	i := strings.Index(url, "://")
	if i < 0 {
		return url, "", false
	}
	i += 3
	for ; i < len(url) && url[i] != ':' && url[i] != '/'; i++ {
		varies = varies || url[i] == '$'
	}
	for ; i < len(url) && url[i] != '/' && !isReference(url[i:]); i++ {
	}
	if i == len(url) || url[i] == '/' {
		return url, "", varies
	}
	end := i + 2
	for end < len(url) && url[end] != '/' {
		end++
	}
	return url[:i] + url[end:], url[i:end], true
}

// isReference reports whether s begins with $0 to $9.
func isReference(s string) bool { return len(s) > 1 && s[0] == '$' && '0' <= s[1] && s[1] <= '9' }

// cutSocket splits "unix:socket|url".
func cutSocket(text string) (socket, url string, ok bool) {
	if len(text) < 5 || !strings.EqualFold(text[:5], "unix:") {
		return "", text, false
	}
	return strings.Cut(text[5:], "|")
}

// StripSocket is the URL part of "unix:/path|URL", with the host that "http:" and "http://" leave
// out; any other text as it is. false: no scheme after the bar, which BalancerMember calls an
// invalid "unix:" URL (httpd: mod_proxy.c ap_proxy_de_socketfy).
func StripSocket(text string) (string, bool) {
	_, url, ok := cutSocket(text)
	if !ok {
		return text, true
	}
	scheme, rest, ok := strings.Cut(url, ":")
	switch {
	case !ok:
		return "", false
	case rest == "":
		return scheme + "://localhost", true
	case rest == "//":
		return url + "localhost", true
	}
	return url, true
}

// ports is the default port of each scheme (apr_uri.c schemes[], httpd: proxy_util.c pschemes[]).
var ports = map[string]uint16{
	"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443, "h2c": 80, "h2": 443,
	"fcgi": 8000, "ajp": 8009, "scgi": 4000, "uwsgi": 3031,
}

// PortOf is the default port of a scheme in lower case, 0 when it has none.
func PortOf(scheme string) uint16 { return ports[scheme] }

// uri is a URL's parts, as apr_uri_parse splits it.
type uri struct {
	scheme, user, host, portText, path, tail string // tail: query and fragment with ? and #
	port                                     uint16
}

// parseURI splits a URL. A text without a scheme and one without // after it are all path. false: an
// invalid port, an IPv6 address without its brackets, a colon where the scheme should be, or a
// control character, which httpd lets pass (apr-util: uri/apr_uri.c).
func parseURI(s string) (u uri, ok bool) {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return u, false
	}
	rest := s
	if i := schemeEnd(s); i > 0 {
		u.scheme, rest = s[:i], s[i+1:]
		if strings.HasPrefix(rest, "//") {
			end := strings.IndexAny(rest[2:], "/?#")
			if end < 0 {
				end = len(rest) - 2
			}
			if !u.splitHost(rest[2 : 2+end]) {
				return u, false
			}
			rest = rest[2+end:]
		}
	} else if i := strings.IndexAny(s, ":/?#"); i >= 0 && s[i] == ':' {
		return u, false
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest, u.tail = rest[:i], rest[i:]
	}
	u.path = rest
	return u, true
}

// schemeEnd is the place of the colon after a scheme, 0 for none.
func schemeEnd(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		switch {
		case 'a' <= c && c <= 'z':
		case s[i] == ':':
			return i
		case i == 0, !strings.ContainsRune("0123456789+-.", rune(s[i])):
			return 0
		}
	}
	return 0
}

// splitHost splits [user[:password]@]host[:port].
func (u *uri) splitHost(s string) bool {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		u.user, s = s[:i+1], s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		var closed bool
		if u.host, s, closed = strings.Cut(s[1:], "]"); !closed {
			return false
		}
	} else {
		i := strings.IndexByte(s+":", ':')
		u.host, s = s[:i], s[i:]
	}
	if strings.ContainsAny(u.host, "[]") {
		return false
	}
	if s == "" || s[0] != ':' || s == ":" {
		return true
	}
	u.portText = s[1:]
	n, err := strconv.ParseUint(u.portText, 10, 16)
	u.port = uint16(n)
	return err == nil
}

// String puts the parts together again; a port of 0 is left out (apr-util: apr_uri_unparse).
func (u uri) String() string {
	host := u.host
	if strings.ContainsRune(host, ':') {
		host = "[" + host + "]"
	}
	if u.port != 0 {
		host += ":" + u.portText
	}
	return u.scheme + "://" + u.user + host + u.path + u.tail
}

// lower is s with A to Z in lower case, as httpd folds: other bytes are not letters to it.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
