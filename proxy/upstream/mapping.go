package upstream

import (
	"context"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Prefix marks in x.Filename a request that goes to a member; handlerName is who takes it there.
const (
	Prefix      = "proxy:"
	handlerName = "proxy-server"
)

// mapper maps paths to URLs: the ProxyPass of the innermost <Location>, then the main server's lines and the
// virtual host's, each in their order; the first that matches decides (httpd: mod_proxy.c proxy_trans). Immutable.
type mapper struct {
	upstreams   *Upstreams
	own         route // of the <Location>; without Line for none
	to          target
	interpolate bool // ProxyPassInterpolateEnv
}

func (u *Upstreams) newMapper(own *Line, interpolate bool) *mapper {
	m := &mapper{upstreams: u, interpolate: interpolate}
	if own != nil {
		m.own = newRoute(own)
		m.to = u.target(m.own.dest)
	}
	return m
}

// addTo adds the lines to a plan: those of mapping=encoded before the path is decoded, the others after, where a step ends
// the mapping of what is a member's already. Without lines there is no step.
func (m *mapper) addTo(p *site.Plan) {
	early, late := false, false
	if m.own.Line != nil {
		early = m.own.Flags&MapEncoded != 0
		late = !early
	}
	for i := range m.upstreams.lines {
		l := m.upstreams.lines[i].Lines
		early, late = early || !l.early.empty(), late || !l.late.empty()
	}
	if early {
		p.Add(site.PreTranslate, "ProxyPass", m.encoded)
	}
	if early || late {
		p.Add(site.Translate, "ProxyPass", m.decoded)
	}
}

// encoded maps a path that is not decoded yet.
func (m *mapper) encoded(_ context.Context, x *exchange.Exchange) error { return m.mapPath(x, true) }

// decoded maps a path.
func (m *mapper) decoded(_ context.Context, x *exchange.Exchange) error { return m.mapPath(x, false) }

func (m *mapper) mapPath(x *exchange.Exchange, encoded bool) error {
	if strings.HasPrefix(x.Filename, Prefix) {
		return exchange.Stop // RewriteRule [P] was first, or a line of mapping=encoded
	}
	if x.Req.Path == "" || x.Req.Path[0] != '/' || x.Env.Has("no-proxy") {
		return nil
	}
	decided, err := m.decide(x, encoded)
	if x.Observer != nil {
		m.observe(x, encoded, decided, err == exchange.Stop)
	}
	return err
}

// decide tries the lines. decided is the one that is meant for the path; nil for none.
func (m *mapper) decide(x *exchange.Exchange, encoded bool) (decided *Line, err error) {
	if m.own.Line != nil && encoded == (m.own.Flags&MapEncoded != 0) {
		if found, err := m.own.try(x, &m.to, m.interpolate); found {
			return m.own.Line, err
		}
	}
	for i := range m.upstreams.lines {
		l := &m.upstreams.lines[i]
		table := &l.late
		if encoded {
			table = &l.early
		}
		if decided, err := l.try(table, x, l.targets, m.interpolate); decided != nil {
			return decided, err
		}
	}
	return nil, nil
}

// try maps the request if the line is meant for its path. found with a nil error: it is meant, and
// says that the path is not proxied.
func (r *route) try(x *exchange.Exchange, to *target, vars bool) (found bool, err error) {
	if r.Pattern == nil && r.Flags&(Interpolate|NoCanon|MapServlet) == 0 {
		n := matchPrefix(x.Req.Path, r.Path)
		if n == 0 {
			return false, nil
		}
		return r.take(x, to, n)
	}
	return r.tryRare(x, to, vars && r.Flags&Interpolate != 0)
}

// take maps a request whose path a plain line covers, as far as covered.
func (r *route) take(x *exchange.Exchange, to *target, covered int) (found bool, err error) {
	if r.exempt {
		return true, nil
	}
	r.apply(x, to, x.Arena.Join(Prefix, r.URL, x.Req.Path[covered:]), false)
	return true, exchange.Stop
}

// apply notes the URL for the handler.
func (r *route) apply(x *exchange.Exchange, to *target, filename string, raw bool) {
	x.Filename, x.Handler = filename, handlerName
	p := stateOf(x)
	p.route, p.to, p.mapped, p.asCame = r, to, filename, raw
}

// tryRare is try for patterns, servlet contexts, nocanon and interpolated lines.
func (r *route) tryRare(x *exchange.Exchange, to *target, vars bool) (found bool, err error) {
	prefix, url := r.Path, r.URL
	if vars {
		prefix, url = expandVars(x, prefix), expandVars(x, url)
	}
	raw, rawOK := r.rawPath(x)
	var rest string
	switch {
	case r.Pattern != nil:
		rest, url, rawOK, found = r.matchPattern(x, url, raw)
	case r.Flags&MapServlet != 0:
		n, plain, ok := matchServlet(x.Req.Path, prefix)
		if found = ok; ok && url != "!" {
			rest, rawOK = x.Req.Path[n:], false
			x.Req.Path = x.Arena.Join(plain)
		}
	default:
		n := matchPrefix(x.Req.Path, prefix)
		found = n > 0
		rest = x.Req.Path[n:]
		if rawOK = rawOK && found && matchPrefix(raw, prefix) == n; rawOK {
			rest = raw[n:]
		}
	}
	if !found || url == "!" {
		return found, nil
	}
	if r.Flags&NoCanon != 0 && r.Flags&MapServlet == 0 && !rawOK {
		x.Log("proxy", exchange.Warn, nil, "AH01136: Unescaped URL path matched ProxyPass; ignoring unsafe nocanon")
	}
	r.apply(x, to, x.Arena.Join(Prefix, url, rest), rawOK)
	return true, exchange.Stop
}

// rawPath is the path and query as they came, for nocanon: the client's whole target, with what the
// server takes off its front (httpd: r->unparsed_uri).
func (r *route) rawPath(x *exchange.Exchange) (raw string, ok bool) {
	switch {
	case r.Flags&NoCanon == 0 || r.Flags&MapServlet != 0:
		return "", false
	case x.Main() && x.Depth == 0:
		return x.Req.Target, true
	case x.Req.HasQuery:
		return x.Arena.Join(x.Req.RawPath, "?", x.Req.Query), true
	}
	return x.Req.RawPath, true
}

// matchPattern fills the URL's $n from the path's groups. A URL without any is continued by the whole
// path (httpd: mod_proxy.c ap_proxy_trans_match).
func (r *route) matchPattern(x *exchange.Exchange, url, raw string) (rest, target string, rawOK, found bool) {
	subject := x.Req.Path
	loc, ok := r.find(x, subject)
	if !ok || url == "!" {
		return "", url, false, ok
	}
	if raw != "" {
		if l, ok := r.find(x, raw); ok {
			subject, loc, rawOK = raw, l, true
		}
	}
	b := r.Pattern.Expand(x.Arena.Scratch(len(url)+len(subject)), url, subject, loc)
	if string(b) == url {
		return subject, url, rawOK, true
	}
	return "", x.Arena.Keep(b), rawOK, true
}

// find is where a pattern matches. One that gives up does not, and the exchange knows.
func (r *route) find(x *exchange.Exchange, subject string) (loc []int, ok bool) {
	loc, ok, err := r.Pattern.Find(subject, nil)
	if err != nil {
		x.GiveUp("proxy", "ProxyPassMatch "+r.Pattern.String(), err)
	}
	return loc, ok
}

// expandVars replaces each ${VAR} by the environment's text; an unknown one is empty
// (httpd: proxy_util.c ap_proxy_interpolate).
func expandVars(x *exchange.Exchange, text string) string {
	var b []byte
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			break
		}
		end := strings.IndexByte(text[start:], '}')
		if end < 0 {
			break
		}
		b = append(b, text[:start]...)
		b = append(b, x.Env.Value(text[start+2:start+end])...)
		text = text[start+end+1:]
	}
	if b == nil {
		return text
	}
	return string(append(b, text...))
}
