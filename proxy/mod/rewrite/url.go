package rewrite

import (
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// scheme is the beginning of an absolute URL; queries: its URLs have query strings.
type scheme struct {
	text    string
	queries bool
}

// schemes are those that a substitution may begin with to be a URL (httpd: mod_rewrite.c is_absolute_uri).
var schemes = []scheme{
	{"http://", true}, {"https://", true}, {"balancer://", true}, {"ajp://", true}, {"fcgi://", true}, {"scgi://", true}, {"h2://", true}, {"h2c://", true},
	{"ws://", true}, {"wss://", true}, {"unix:", true}, {"mailto:", true},
	{"ftp://", false}, {"gopher://", false}, {"ldap://", false}, {"news:", false}, {"nntp://", false},
}

// absoluteURL is how long the scheme of an absolute URL is, with "://"; 0 for any other text, and for one of five bytes
// or less.
func absoluteURL(text string) (length int, queries bool) {
	if len(text) <= 5 || text[0] == '/' {
		return 0, false
	}
	for _, s := range schemes {
		if len(text) >= len(s.text) && exchange.EqualFold(text[:len(s.text)], s.text) {
			if s.text == "unix:" && strings.HasPrefix(text[len(s.text):], "//") {
				return len(s.text) + 2, true
			}
			return len(s.text), s.queries
		}
	}
	return 0, false
}

// splitQuery takes the query off the substituted text as the rule's flags have it (httpd: mod_rewrite.c
// splitout_queryargs).
func (p *pass) splitQuery(r *rule) {
	x := p.x
	q := &x.Req
	if r.flags&noQuery != 0 {
		if p.traced {
			p.trace(2, "discarding query string, no parse from substitution")
		}
		q.Query, q.HasQuery = "", false
		return
	}
	skip, queries := absoluteURL(x.Filename)
	if skip > 0 && !queries {
		q.Query, q.HasQuery = "", false
		return
	}
	if r.flags&dropQuery != 0 {
		q.Query, q.HasQuery = "", false
		if p.traced {
			p.trace(2, "discarding query string")
		}
	}
	at := strings.IndexByte(x.Filename[skip:], '?')
	if r.flags&lastMark != 0 {
		at = strings.LastIndexByte(x.Filename[skip:], '?')
	}
	if at < 0 {
		return
	}
	whole := x.Filename
	x.Filename = whole[:skip+at]
	p.setQuery(r, whole[skip+at+1:])
	if p.traced {
		args := "<none>"
		if q.HasQuery {
			args = q.Query
		}
		p.trace(3, "split uri=", whole, " -> uri=", x.Filename, ", args=", args)
	}
}

// setQuery puts a rule's query in the place of the request's, or with QSA in front of it.
func (p *pass) setQuery(r *rule, query string) {
	q := &p.x.Req
	switch {
	case r.flags&appendQuery == 0:
		q.Query, q.HasQuery = query, true
	case query != "":
		q.Query, q.HasQuery = p.keepJoined(query, "&", q.Query), true
	}
	switch n := len(q.Query); {
	case !q.HasQuery:
	case n == 0:
		q.HasQuery = false
	case q.Query[n-1] == '&':
		q.Query = q.Query[:n-1]
	}
}

// keepJoined is Arena.Join as keep has it.
func (p *pass) keepJoined(parts ...string) string {
	if p.round > 1 {
		return strings.Join(parts, "")
	}
	return p.x.Arena.Join(parts...)
}

// qualify puts this server's own address in front of what is no URL yet (httpd: mod_rewrite.c fully_qualify_uri).
func (p *pass) qualify() {
	x := p.x
	if n, _ := absoluteURL(x.Filename); n > 0 || x.Req.Method == "CONNECT" {
		return
	}
	slash := "/"
	if strings.HasPrefix(x.Filename, "/") {
		slash = ""
	}
	x.Filename = p.keepJoined(ownURL(x, ""), slash, x.Filename)
}

// ownURL is a path with this server's scheme, name and port in front.
func ownURL(x *exchange.Exchange, path string) string {
	port := ""
	if n := x.ServerPort(); n != x.DefaultPort() {
		port = x.Arena.Join(":", x.Arena.Int(int64(n)))
	}
	return x.Arena.Join(x.Scheme(), "://", nameForURL(x), port, path)
}

// nameForURL is the server's name, an IPv6 address in brackets (httpd: core.c ap_get_server_name_for_url).
func nameForURL(x *exchange.Exchange) string {
	name := x.ServerName()
	if strings.IndexByte(name, ':') >= 0 && name[0] != '[' {
		return x.Arena.Join("[", name, "]")
	}
	return name
}

// reduce makes a path of a URL that leads to this very server (httpd: mod_rewrite.c reduce_uri).
func (p *pass) reduce() {
	x := p.x
	scheme := x.Scheme()
	rest, ok := cutFold(x.Filename, scheme)
	if ok {
		rest, ok = strings.CutPrefix(rest, "://")
	}
	if !ok || rest == "" {
		return
	}
	authority, path, _ := cutBefore(rest, '/')
	host, portText, hasPort := strings.Cut(authority, ":")
	port := x.DefaultPort()
	if hasPort {
		port = int(uint16(directive.Atoi(portText)))
	}
	if path == "" {
		path = "/"
	}
	if !site.HostOf(x).Matches(host, port) {
		return
	}
	if p.traced {
		p.trace(3, "reduce ", x.Filename, " -> ", path)
	}
	x.Filename = path
	p.reduced = p.reduced || p.options&legacyPrefix == 0
}

// cutBefore splits a text in front of the first c.
func cutBefore(text string, c byte) (before, after string, found bool) {
	if i := strings.IndexByte(text, c); i >= 0 {
		return text[:i], text[i:], true
	}
	return text, "", false
}

// cutFold is strings.CutPrefix without regard to case.
func cutFold(text, prefix string) (rest string, ok bool) {
	if len(text) >= len(prefix) && exchange.EqualFold(text[:len(prefix)], prefix) {
		return text[len(prefix):], true
	}
	return text, false
}

// replacePrefix puts another beginning in the place of one that ends at a slash (httpd: mod_rewrite.c
// subst_prefix_path).
func (p *pass) replacePrefix(name, old, other string) (made string, done bool) {
	old = strings.TrimSuffix(old, "/")
	rest, ok := strings.CutPrefix(name, old)
	if !ok || !strings.HasPrefix(rest, "/") {
		return name, false
	}
	rest = rest[1:]
	if p.traced {
		p.trace(5, "strip matching prefix: ", name, " -> ", rest)
	}
	slash := ""
	if other != "" && !strings.HasSuffix(other, "/") {
		slash = "/"
	}
	made = p.x.Arena.Join(other, slash, rest)
	if p.traced {
		p.trace(4, "add subst prefix: ", rest, " -> ", made)
	}
	return made, true
}
