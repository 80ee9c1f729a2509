package balancer

import (
	"bytes"
	"strings"
	"testing"
)

type request struct{ path, query, cookies string }

func (r request) StickyURL() (path, query string) { return r.path, r.query }
func (r request) Cookies() string                 { return r.cookies }

// ask reads "path?query cookies".
func ask(text string) request {
	url, cookies, _ := strings.Cut(text, " ")
	path, query, _ := strings.Cut(url, "?")
	return request{path, query, cookies}
}

// TestSession is the routes that httpd 2.4.71 read; "-" is none.
func TestSession(t *testing.T) {
	for _, c := range []struct{ params, request, name, route string }{
		{"", "/x;param=abc.r2", "param", "r2"},
		{"", "/x;param=abc.r2/more", "param", "r2/more"},
		{"", "/x;param=abc.r2?q=1", "param", "r2"},
		{"", "/x?param=abc.r2", "param", "r2"},
		{"", "/x?a=1&param=abc.r2&b=2", "param", "r2"},
		{"", "/x?xparam=abc.r2", "param", "r2"},
		{"", "/x?PARAM=abc.r2", "", "-"},
		{"", "/x;param=abc.r2;other=1", "param", "r2;other=1"},
		{"", "/x;param=.r2", "param", "r2"},
		{"", "/x?param=a.b.r2", "param", "b.r2"},
		{"", "/x?param=norouteatall", "", "-"},
		{"", "/x?param=abc.", "param", ""},
		{"", "/x?param=abc.R2", "param", "R2"},
		{"", "/ COOKIE=abc.r2", "COOKIE", "r2"},
		{"", "/ a=b; COOKIE=abc.r2", "COOKIE", "r2"},
		{"", "/ COOKIE=abc.r2; c=d", "COOKIE", "r2"},
		{"", `/ COOKIE="abc.r2"`, "COOKIE", `r2"`},
		{"", "/ COOKIE = abc.r2", "COOKIE", "r2"},
		{"", "/ COOKIE=x.r2; COOKIE=x.r3", "COOKIE", "r2"},
		{"", "/ XCOOKIE=abc.r2", "", "-"},
		{"", "/ cookie=abc.r2", "", "-"},
		{"", "/ COOKIE=abc", "", "-"},
		{"", "/ COOKIE=", "", "-"},
		{"", "/ COOKIE", "", "-"},
		{"", "/ a=COOKIE=abc.r2", "", "-"},
		{"", "/ COOKIE=a.b.r2", "COOKIE", "b.r2"},
		{"", "/ a=b,COOKIE=abc.r2", "COOKIE", "r2"},
		{"", "/ COOKIE=abc.r2,x", "COOKIE", "r2"},
		{"", "/ COOKIE=; COOKIE=x.r2", "", "-"},
		{"", "/ COOKIE=x.r2 ; b=c", "COOKIE", "r2 "},
		{"", "/ COOKIE COOKIE=x.r2", "", "-"},
		{"", "/ COOKIE=\tx.r2", "COOKIE", "r2"},
		{"", "/ b=c\tCOOKIE=x.r2", "COOKIE", "r2"},
		{"", "/x?param=abc.r3 COOKIE=abc.r2", "param", "r3"},
		{"", "/x?param=abc COOKIE=abc.r2", "", "-"},
		{"", "/x?param= COOKIE=abc.r2", "COOKIE", "r2"},
		{"", "/x?param=&q=1 COOKIE=abc.r2", "COOKIE", "r2"}, // httpd: the id is "q=1"
		{"", "/x;param=?q=1 COOKIE=abc.r2", "COOKIE", "r2"},
		{"", "/x?param=&param=a.r2", "param", "r2"},
		{"", "/x?param&param=a.r2", "param", "r2"},
		{"", "/x?paramparam=a.r2", "", "-"}, // the search goes on one byte too far
		{"", "/x?param=x%2Er2", "", "-"},
		{"", "/;param=", "", "-"},
		{"", "/x?param", "", "-"},
		{"scolonpathdelim=On", "/x;param=abc.r3;q=1", "param", "r3"},
		{"scolonpathdelim=On", "/x;param=;param=a.r3", "param", "r3"},
		{"stickysessionsep=:", "/ COOKIE=abc:r3", "COOKIE", "r3"},
		{"stickysessionsep=:", "/ COOKIE=abc.r3", "", "-"},
		{"stickysessionsep=Off", "/ COOKIE=abc.r3", "COOKIE", "abc.r3"},
		{"stickysessionsep=Off", "/ COOKIE=r3", "COOKIE", "r3"},
		{"stickysession=A|", "/x?q=a.r1", "", "r1"}, // a nameless parameter is the first of all
		{"stickysession=A|a?b", "/xa?b=1.r1", "a?b", "r1"},
		{"stickysession=|b", "/x?b=1.r1 b=1.r2", "", "-"},
	} {
		s := NewBalancerSettings()
		s.Sticky = Sticky{"COOKIE", "param"}
		if k, v, ok := strings.Cut(c.params, "="); ok {
			refuse(t, s.Set, testEnv, k+"="+v, "")
		}
		got := s.session(ask(c.request))
		if !got.found {
			got.route = "-"
		}
		if got.name != c.name || got.route != c.route {
			t.Errorf("%s %s: %q %q, want %q %q", c.params, c.request, got.name, got.route, c.name, c.route)
		}
	}
	s := NewBalancerSettings()
	if got := s.session(ask("/x?=a.r1 =a.r1")); got.found {
		t.Error("not sticky:", got)
	}
	s.Sticky = Sticky{"A", "A"}
	if got := s.session(nil); got.found {
		t.Error("no client:", got)
	}
}

// The reference parsers below follow httpd's text byte by byte with C's eyes: a text ends with a
// NUL, and reading past that one is not found.

func at(s string, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

func strstr(s string, from int, name string) int {
	for i := from; i+len(name) <= len(s); i++ {
		if s[i:i+len(name)] == name {
			return i
		}
	}
	return -1
}

func referencePath(url, name, delims string) string {
	for p := strstr(url, 0, name); p >= 0; p = strstr(url, p+1, name) {
		if p += len(name); at(url, p) == '=' {
			end := p + 1
			for end < len(url) && !strings.ContainsRune(delims, rune(url[end])) {
				end++
			}
			if end > p+1 { // httpd's strtok would skip the delimiters
				return url[p+1 : end]
			}
		}
	}
	return ""
}

func referenceCookie(cookies, name string) string {
	space := func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
	for p := strstr(cookies, 0, name); p >= 0; p = strstr(cookies, p+1, name) {
		if p == 0 || cookies[p-1] == ';' || cookies[p-1] == ',' || space(cookies[p-1]) {
			for p += len(name); space(at(cookies, p)); p++ {
			}
			c := at(cookies, p)
			p++
			if c == '=' && at(cookies, p) != 0 {
				end := p
				for end < len(cookies) && cookies[end] != ';' && cookies[end] != ',' {
					end++
				}
				return cookies[p:end]
			}
		}
	}
	return ""
}

// FuzzSession compares both searches with the references.
func FuzzSession(f *testing.F) {
	f.Add("/x;s=a.r1", "q=1&s=b.r2", "s=c.r3; t", "s", false)
	f.Add("/x;ss=", "ss=&s=b.r2", "s s=c; ,s\t=d.r", "s", true)
	f.Add("/;aa=aaa=", "aaaa=a", "a a=a,a=;a=a", "a", true)
	f.Fuzz(func(t *testing.T, path, query, cookies, name string, semicolon bool) {
		if name == "" || strings.ContainsAny(path+query+cookies+name, "\x00") || strings.ContainsRune(path, '?') {
			return
		}
		delims := "?&"
		if semicolon {
			delims = ";?&"
		}
		want := referencePath(path+"?"+query, name, delims)
		if got := idInURL(request{path, query, ""}, name, semicolon); got != want {
			t.Errorf("%q ? %q: %q, want %q", path, query, got, want)
		}
		if got, want := idInCookies(cookies, name), referenceCookie(cookies, name); got != want {
			t.Errorf("%q in %q: %q, want %q", name, cookies, got, want)
		}
	})
}

func TestSessionCostsNothing(t *testing.T) {
	s := NewBalancerSettings()
	s.Sticky = Sticky{"COOKIE", "param"}
	var c Client = &request{"/x", "q=1", "a=b; COOKIE=abc.r2"}
	if n := testing.AllocsPerRun(100, func() { s.session(c) }); n != 0 {
		t.Error("allocations:", n)
	}
}

func TestNonce(t *testing.T) {
	a, b := newNonce(), newNonce()
	if a == b || len(a) != 36 || lower(a) != a || !bytes.Equal([]byte{a[8], a[13], a[18], a[23]}, []byte("----")) {
		t.Error(a, b)
	}
}
