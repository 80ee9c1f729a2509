package rewrite

import (
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// memory is what rules leave for later steps of an exchange, or for its internal redirects.
type memory struct {
	redirects int      // how many internal redirects there had been when what follows was said: behind another it is over
	mediaType string   // T
	handler   string   // H
	status    int      // of a redirect that a later rule took back
	cookies   []string // the names of those that were set
}

// memoryIn is an exchange's memory; nil when there is none.
func memoryIn(x *exchange.Exchange) *memory {
	m, _ := x.State[exchange.StateRewrite].(*memory)
	return m
}

// memoryOf is an exchange's memory, made when there is none.
func memoryOf(x *exchange.Exchange) *memory {
	m := memoryIn(x)
	if m == nil {
		m = &memory{}
		x.State[exchange.StateRewrite] = m
	}
	return m
}

// redirectsOf is how many internal redirects an exchange has behind it.
func redirectsOf(x *exchange.Exchange) int {
	if x.Prev == nil {
		return 0
	}
	return x.Prev.Redirects
}

// forced is the memory for T or H of the request as it is now.
func forced(x *exchange.Exchange) *memory {
	m := memoryOf(x)
	if n := redirectsOf(x); m.redirects != n {
		m.redirects, m.mediaType, m.handler, m.status = n, "", "", 0
	}
	return m
}

// keepStatus keeps the status of a redirect that a later rule took back: the answer has it all the same (httpd: r->status).
func keepStatus(x *exchange.Exchange, res *result) {
	if isRedirect(res.status) {
		forced(x).status = res.status
	}
}

// keptStatus is that status; 0 for none.
func keptStatus(x *exchange.Exchange) int {
	if m := memoryIn(x); m != nil && m.redirects == redirectsOf(x) {
		return m.status
	}
	return 0
}

// setEnv obeys E: "name", "name:value" or "!name".
func (p *pass) setEnv(text string) {
	if name, not := strings.CutPrefix(text, "!"); not {
		p.x.Env.Unset(name)
		if p.traced {
			p.trace(5, "unsetting env variable '", name, "'")
		}
		return
	}
	name, value, _ := strings.Cut(text, ":")
	p.x.Env.Set(name, value)
	if p.traced {
		p.trace(5, "setting env variable '", name, "' to '", value, "'")
	}
}

// The fields of CO.
const (
	cookieName = iota
	cookieValue
	cookieDomain
	cookieMinutes
	cookiePath
	cookieSecure
	cookieHTTPOnly
	cookieSameSite
	cookieFields
)

// setCookie obeys CO: name:value:domain[:minutes[:path[:secure[:httponly[:samesite]]]]]. Empty fields vanish, and what
// follows moves up (httpd: mod_rewrite.c add_cookie).
func (p *pass) setCookie(text string) {
	separator := ":"
	if rest, ok := strings.CutPrefix(text, ";"); ok {
		separator, text = ";", rest
	}
	var fields [cookieFields]string
	n := 0
	for f := range strings.SplitSeq(text, separator) {
		if f != "" && n < cookieFields {
			fields[n] = f
			n++
		}
	}
	if n <= cookieDomain || !p.firstOf(fields[cookieName]) {
		return
	}
	c := p.cookie(&fields)
	top := p.x
	for top.Asker != nil {
		top = top.Asker
	}
	top.Res.Always.Add("Set-Cookie", top.Arena.Join(c))
	if p.traced {
		traceOf(top, "", 5, "setting cookie '", c, "'")
	}
}

// firstOf reports whether a cookie was not set yet; the first of a name stays.
func (p *pass) firstOf(name string) bool {
	top := p.x
	for top.Asker != nil {
		top = top.Asker
	}
	m := memoryOf(top)
	for _, n := range m.cookies {
		if n == name {
			if p.traced {
				traceOf(top, "", 5, "skipping already set cookie '", name, "'")
			}
			return false
		}
	}
	m.cookies = append(m.cookies, strings.Clone(name))
	return true
}

// cookie is the field's value.
func (p *pass) cookie(f *[cookieFields]string) string {
	path := f[cookiePath]
	if path == "" {
		path = "/"
	}
	c := f[cookieName] + "=" + f[cookieValue] + "; path=" + path + "; domain=" + f[cookieDomain]
	if minutes := directive.Atoi(f[cookieMinutes]); minutes != 0 {
		c += "; expires=" + p.x.Start.Add(time.Duration(minutes)*time.Minute).UTC().Format("Mon, 02-Jan-2006 15:04:05 GMT")
	}
	if isYes(f[cookieSecure], "secure") {
		c += "; secure"
	}
	if isYes(f[cookieHTTPOnly], "HttpOnly") {
		c += "; HttpOnly"
	}
	if s := f[cookieSameSite]; s != "" && s != "0" && !exchange.EqualFold(s, "false") {
		c += "; SameSite=" + s
	}
	return c
}

func isYes(text, name string) bool {
	return exchange.EqualFold(text, "true") || text == "1" || exchange.EqualFold(text, name)
}

// force remembers what T and H say; it is done when everything else has had its say about the file.
func (p *pass) force(r *rule) {
	if r.mediaType != nil {
		if t := lowered(p.expand(r.mediaType, r, nil)); t != "" {
			if p.traced {
				p.traceDir(2, "remember ", p.x.Filename, " to have MIME-type '", t, "'")
			}
			forced(p.x).mediaType = t
		}
	}
	if r.handler != nil {
		if h := lowered(p.expand(r.handler, r, nil)); h != "" {
			if p.traced {
				p.traceDir(2, "remember ", p.x.Filename, " to have Content-handler '", h, "'")
			}
			forced(p.x).handler = h
		}
	}
}
