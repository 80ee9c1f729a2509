package upstream

import (
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// reverser turns what members say about themselves into what clients may see: ProxyPassReverse and its
// cookie forms. Immutable; nil when there are no lines.
type reverser struct {
	rules     [][]reverseRule // the lists of a chain's sections, outermost first
	paths     [][]Rewrite
	domains   [][]Rewrite
	vars      bool // ProxyPassInterpolateEnv
	upstreams *Upstreams
}

// reverseRule is one ProxyPassReverse line.
type reverseRule struct {
	Rewrite
	balancer *balancer.Balancer // of a URL balancer://name; nil for a plain one
	part     string             // behind the balancer's name: "/path", "" for none or "/"
}

func newReverser(s *SectionSettings, u *Upstreams) *reverser {
	r := &reverser{paths: s.CookiePaths, domains: s.CookieDomains, vars: s.Interpolate, upstreams: u}
	for _, list := range s.Reverse {
		r.rules = append(r.rules, u.reverseRules(list))
	}
	if len(r.rules) == 0 && len(r.paths) == 0 && len(r.domains) == 0 {
		return nil
	}
	return r
}

// reverseRules prepares a list of lines, once for all chains.
func (u *Upstreams) reverseRules(list []Rewrite) []reverseRule {
	u.mu.Lock()
	defer u.mu.Unlock()
	rules, known := u.rules.get(&list[0])
	if !known {
		rules = make([]reverseRule, len(list))
		for i, w := range list {
			rules[i] = u.reverseRule(w)
		}
		u.rules.put(&list[0], rules)
	}
	return rules
}

func (u *Upstreams) reverseRule(w Rewrite) reverseRule {
	rule := reverseRule{Rewrite: w}
	if !strings.HasPrefix(strings.ToLower(w.From), balancer.Prefix) {
		return rule
	}
	rule.balancer = u.balancer(w.From)
	if i := strings.IndexByte(w.From[len(balancer.Prefix):], '/'); i >= 0 {
		if part := w.From[len(balancer.Prefix)+i:]; part != "/" {
			rule.part = part
		}
	}
	return rule
}

// rewrite edits the response's fields in place.
func (r *reverser) rewrite(x *exchange.Exchange) {
	for i := range x.Res.Header.F {
		f := &x.Res.Header.F[i]
		switch {
		case f.ID == wire.SetCookie:
			f.Value = r.cookie(x, f.Value)
		case len(r.rules) > 0 && namesURL(f):
			f.Value = r.location(x, f.Value)
		}
	}
}

// namesURL reports whether a field holds a URL that ProxyPassReverse looks at
// (httpd: mod_proxy_http.c process_proxy_header).
func namesURL(f *exchange.Field) bool {
	return f.ID == wire.Location || f.ID == wire.Other && (f.Is("Content-Location") || f.Is("URI") || f.Is("Destination"))
}

// location is the client's form of a URL: the first line that matches it decides (httpd: proxy_util.c
// ap_proxy_location_reverse_map).
func (r *reverser) location(x *exchange.Exchange, url string) string {
	for _, list := range r.rules {
		for i := range list {
			path, ok := r.reversed(x, &list[i], url)
			switch {
			case !ok:
			case exchange.HasScheme(path):
				return path
			default:
				return x.ConstructURL(path)
			}
		}
	}
	return url
}

// reversed is what a line makes of a URL; false when it is not for it.
func (r *reverser) reversed(x *exchange.Exchange, rule *reverseRule, url string) (string, bool) {
	if !r.vars || !rule.Interpolate {
		return rule.path(x, url)
	}
	now := r.upstreams.reverseRule(Rewrite{From: expandVars(x, rule.From), To: expandVars(x, rule.To)})
	if now.From == "" {
		return "", false
	}
	return now.path(x, url)
}

func (rule *reverseRule) path(x *exchange.Exchange, url string) (string, bool) {
	if rule.balancer != nil {
		return rule.memberPath(x, url)
	}
	part := url
	if strings.HasPrefix(rule.From, "/") { // compared with the path alone, whatever the host
		if i := strings.Index(url, "://"); i >= 0 {
			if k := strings.IndexByte(url[i+3:], '/'); k >= 0 {
				part = url[i+3+k:]
			}
		}
	}
	rest, ok := cutFold(part, rule.From)
	if !ok || rule.From == "" {
		return "", false
	}
	return x.Arena.Join(rule.To, rest), true
}

// memberPath tries the URL of each member, with the line's own path behind it.
func (rule *reverseRule) memberPath(x *exchange.Exchange, url string) (string, bool) {
	for _, m := range rule.balancer.Members() {
		name := m.URL()
		if rule.part != "" {
			name = strings.TrimSuffix(name, "/")
		}
		rest, ok := cutFold(url, name)
		if !ok {
			continue
		}
		if rest, ok = strings.CutPrefix(rest, rule.part); !ok {
			continue
		}
		if rule.part == "" && rule.To == "/" && strings.HasPrefix(rest, "/") {
			return rest, true
		}
		return x.Arena.Join(rule.To, rest), true
	}
	return "", false
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !exchange.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// span is a piece of a cookie and what takes its place.
type span struct {
	from, to int
	text     string
	found    bool
}

// cookie rewrites path= and domain= of a Set-Cookie. Of several, the last counts; a value that a line
// matches is replaced whole (httpd: proxy_util.c ap_proxy_cookie_reverse_map).
func (r *reverser) cookie(x *exchange.Exchange, value string) string {
	if len(r.paths) == 0 && len(r.domains) == 0 {
		return value
	}
	var path, domain span
	for i := 0; i < len(value); {
		end := len(value)
		if n := strings.IndexByte(value[i:], ';'); n >= 0 {
			end = i + n
		}
		for i < end && (value[i] == ' ' || '\t' <= value[i] && value[i] <= '\r') {
			i++
		}
		attribute := value[i:end]
		if v, ok := cutFold(attribute, "path="); ok {
			r.replace(x, &path, r.paths, v, end, false)
		} else if v, ok := cutFold(attribute, "domain="); ok {
			r.replace(x, &domain, r.domains, v, end, true)
		}
		i = end + 1
	}
	if path.found && domain.found && domain.from < path.from {
		path, domain = domain, path
	}
	return splice(x, value, path, domain)
}

// replace notes the place of an attribute's value, and its text if a line matches.
func (r *reverser) replace(x *exchange.Exchange, s *span, lines [][]Rewrite, value string, end int, fold bool) {
	*s = span{from: end - len(value), to: end}
	for _, list := range lines {
		for i := range list {
			if s.text, s.found = r.replaced(x, &list[i], value, fold); s.found {
				return
			}
		}
	}
}

// replaced is what a line makes of an attribute's value; false when it is not for it.
func (r *reverser) replaced(x *exchange.Exchange, l *Rewrite, value string, fold bool) (string, bool) {
	from, to := l.From, l.To
	if r.vars && l.Interpolate {
		from, to = expandVars(x, from), expandVars(x, to)
	}
	if fold {
		_, ok := cutFold(value, from)
		return to, ok
	}
	return to, strings.HasPrefix(value, from)
}

// splice puts the texts of two spans, in order, into a value.
func splice(x *exchange.Exchange, value string, a, b span) string {
	switch {
	case a.found && b.found:
		return x.Arena.Join(value[:a.from], a.text, value[a.to:b.from], b.text, value[b.to:])
	case a.found:
		return x.Arena.Join(value[:a.from], a.text, value[a.to:])
	case b.found:
		return x.Arena.Join(value[:b.from], b.text, value[b.to:])
	}
	return value
}
