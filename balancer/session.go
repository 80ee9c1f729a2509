package balancer

import "strings"

// session is what a request says of its session. The zero value: nothing.
type session struct {
	name  string // cookie or URL parameter that held the id
	route string // may be empty, when the id ends with the separator
	found bool   // there is a route
	inURL bool   // the id stood in the URL
}

// session reads the session id of a request, from its URL or else from its cookies. An id without
// the separator has no route, and yet one in the URL hides one in a cookie. An empty id in the URL counts as
// missing, where httpd takes the next parameter or reads past the end (httpd: mod_proxy_balancer.c find_session_route).
func (s *BalancerSettings) session(c Client) session {
	if c == nil || !s.Sticky.On() {
		return session{}
	}
	name := s.Sticky.Path
	id := idInURL(c, name, s.ScolonDelim.V)
	inURL := id != ""
	if !inURL {
		name = s.Sticky.Cookie
		id = idInCookies(c.Cookies(), name)
	}
	if id == "" {
		return session{}
	}
	if s.Separator.V == 0 {
		return session{name, id, true, inURL}
	}
	i := strings.IndexByte(id, s.Separator.V)
	if i < 0 {
		return session{}
	}
	return session{name, id[i+1:], true, inURL}
}

// idInURL searches "path?query". A name with a '?' of its own can lie across; nobody has one, so it
// may cost an allocation.
func idInURL(c Client, name string, semicolon bool) string {
	path, query := c.StickyURL()
	if strings.IndexByte(name, '?') >= 0 {
		return idInText(path+"?"+query, name, semicolon)
	}
	if id := idInText(path, name, semicolon); id != "" {
		return id
	}
	return idInText(query, name, semicolon)
}

// idInText finds name= anywhere, not only where a parameter begins, and returns the text up to a
// delimiter. The search goes on one byte behind a name without '=', so "pp=" does not hold "p="
// (httpd: mod_proxy_balancer.c get_path_param).
func idInText(text, name string, semicolon bool) string {
	for {
		i := strings.Index(text, name)
		if i < 0 || i+len(name) >= len(text) {
			return ""
		}
		text = text[i+len(name):]
		if text[0] == '=' {
			if id := text[1 : 1+idEnd(text[1:], semicolon)]; id != "" {
				return id
			}
		}
		text = text[1:]
	}
}

// idEnd is where a session id in a URL ends.
func idEnd(text string, semicolon bool) int {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '?' || c == '&' || c == ';' && semicolon {
			return i
		}
	}
	return len(text)
}

// idInCookies finds the cookie name, which begins the header or follows ';', ',' or a blank. Blanks
// may stand before the '='; quotes belong to the value. The first such cookie counts, even with an
// empty value, but at the end of the header an empty one is none. The search goes on behind the byte
// that is no '=' and the next, as httpd's does (httpd: mod_proxy_balancer.c get_cookie_param).
func idInCookies(cookies, name string) string {
	for from := 0; from < len(cookies); from++ {
		i := strings.Index(cookies[from:], name)
		if i < 0 {
			return ""
		}
		from += i
		if from > 0 && !strings.ContainsRune(";,"+blanks, rune(cookies[from-1])) {
			continue
		}
		from += len(name)
		for from < len(cookies) && strings.IndexByte(blanks, cookies[from]) >= 0 {
			from++
		}
		if from+1 < len(cookies) && cookies[from] == '=' {
			value := cookies[from+1:]
			if end := strings.IndexAny(value, ";,"); end >= 0 {
				value = value[:end]
			}
			return value
		}
		from++
	}
	return ""
}
