package upstream

import (
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

// FuzzCookie holds the rewriting against taking the cookie apart at its semicolons.
func FuzzCookie(f *testing.F) {
	f.Add("a=1; path=/be/; domain=be.test; path=/b")
	f.Add(";;;= path=domain=;")
	f.Add("Path=/x;DOMAIN=BE.TEST.de;\v path=")
	r := &reverser{paths: [][]Rewrite{{{From: "/be/", To: "/fe/"}, {From: "/b", To: ""}}}, domains: [][]Rewrite{{{From: "be.test", To: "fe.test;x"}}}}
	f.Fuzz(func(t *testing.T, value string) {
		if got, want := r.cookie(&exchange.Exchange{}, value), cookieInPieces(value); got != want {
			t.Errorf("%q became %q, want %q", value, got, want)
		}
	})
}

// cookieInPieces rewrites as FuzzCookie's lines say: the last path and the last domain alone.
func cookieInPieces(value string) string {
	list := strings.Split(value, ";")
	last := map[string]int{}
	part := func(s string) (blanks, name, text string) {
		rest := strings.TrimLeft(s, " \t\n\v\f\r")
		for _, n := range []string{"path=", "domain="} {
			if len(rest) >= len(n) && strings.EqualFold(rest[:len(n)], n) {
				return s[:len(s)-len(rest)+len(n)], n, rest[len(n):]
			}
		}
		return "", "", ""
	}
	for i, s := range list {
		if _, name, _ := part(s); name != "" {
			last[name] = i
		}
	}
	for name, i := range last {
		head, _, text := part(list[i])
		switch {
		case name == "path=" && strings.HasPrefix(text, "/be/"):
			list[i] = head + "/fe/"
		case name == "path=" && strings.HasPrefix(text, "/b"):
			list[i] = head
		case name == "domain=" && strings.HasPrefix(strings.ToLower(text), "be.test"):
			list[i] = head + "fe.test;x"
		}
	}
	return strings.Join(list, ";")
}
