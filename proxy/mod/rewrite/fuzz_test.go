package rewrite

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site/sitetest"
)

// fixed is a map with fixed values.
type fixed map[string]string

func (t fixed) find(_ *pass, _ *rewriteMap, key string) (string, bool) {
	v, ok := t[key]
	return v, ok
}

// FuzzExpand holds templates against mod_rewrite's own way through a text.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"/a/$1?x=%2", `\$1\\%{HTTP_HOST}`, "${m:$1|${m:k}}", "%{REQUEST_METHOD", "$x$$%%{", "${m}", "${:}", "${m:a|b|c}", "${m:{x}|{y}}", "?$1?", `\?$1`, "%{abc}%{}", "$9%0${n:$0}", "a\\"} {
		f.Add(s, "one?", "two", "", false, false)
		f.Add(s, "one? /\xff", "t w%o", "a_b", true, true)
	}
	f.Fuzz(func(t *testing.T, text, first, second, third string, latest, escape bool) {
		if len(text)+len(first)+len(second)+len(third) > 1<<12 {
			t.Skip()
		}
		x := sitetest.Request("GET /path?query")
		x.Server = &exchange.Server{}
		p := newPass(x, map[string]*rewriteMap{"m": {source: fixed{"k": first, "": "nothing", second: "found"}}})
		defer p.end()
		p.rule.set(first+second, []int{0, len(first + second), 0, len(first), -1, -1})
		p.cond.set(third, []int{0, len(third), 0, len(third) / 2})
		r := &reference{values: map[string]string{}, maps: map[string]map[string]string{"m": {"k": first, "": "nothing", second: "found"}}}
		r.groups[0] = [10]string{first + second, first}
		r.groups[1] = [10]string{third, third[:len(third)/2]}
		for _, name := range []string{"HTTP_HOST", "REQUEST_METHOD", "QUERY_STRING"} {
			r.values[name] = variableNamed(name)(p, x)
		}
		for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == '{' || c == '}' || c == '%' }) {
			if v := variableNamed(word); v != nil && r.values[word] == "" {
				if strings.Contains(word, ":") && strings.HasPrefix(strings.ToUpper(word), "LA-") || strings.Contains(strings.ToUpper(word), "TIME") {
					t.Skip()
				}
				r.values[word] = v(p, x)
			}
		}
		rule := &rule{}
		if escape {
			rule.flags, r.escape = escapeGroups, escapeAll
		}
		got, want := marks{latest: latest}, marks{latest: latest}
		a, b := p.expand(parseTemplate(text), rule, &got), r.expand(text, &want)
		if a != b || got != want {
			t.Errorf("%q: %q %+v, want %q %+v", text, a, got, b, want)
		}
	})
}

// FuzzLine reads any line as a rule and as a condition; what is taken can be run.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"^/a $1 [L]", "a b \"[ L , R=301 ]\"", "'a b' \"c d\" [E=x:$1,CO=a:b:c,N=2,S=1]", "!x - [F]", "a\\ b c [B=\\ ,BNE=/,BCTLS]", "expr \"%{HTTP_HOST} == 'a'\" [NC]", "%{X} !-gt5 [OR,NV]", "a <=b", "a =\"\"", "a \"b", "[", "a b ["} {
		f.Add(s, "/a b?")
	}
	f.Fuzz(func(t *testing.T, line, path string) {
		if strings.ContainsAny(line, "\n\r\x00") || len(line) > 500 || len(path) > 500 {
			t.Skip()
		}
		a := directive.Args{Raw: strings.Trim(line, " \t")}
		x := sitetest.Request("GET /x?q")
		x.Server = &exchange.Server{DocumentRoot: "/srv", LimitLine: 1000}
		x.Filename, x.Req.Path = path, path
		if r, err := newRule(a); err == nil && r.flags&again == 0 {
			p := newPass(x, nil)
			var res result
			if p.apply(r, &res) {
				p.after(r, &res)
			}
			p.end()
		}
		c, err := sitetest.Bind(preload, "", modules()...)
		if err != nil {
			t.Fatal(err)
		}
		if cond, err := newCond(c.Main, a); err == nil && cond.test != isURL && cond.test != isSubFile && !strings.Contains(line, "LA-") {
			p := newPass(x, nil)
			cond.holds(p)
			p.end()
		}
	})
}

// TestSearchChangesNothing: that only rules are looked at which may match is nothing that anybody sees. Random lists
// are run both ways.
func TestSearchChangesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"alpha", "beta", "gamma", "delta"}
	word := func() string { return words[random.IntN(len(words))] }
	flag := func() string {
		return []string{"", " [C]", " [S=1]", " [L]", " [NC]", " [C,NC]", " [QSA]", " [N=4]", " [E=X:1]"}[random.IntN(9)]
	}
	for range 60 {
		conf := "RewriteEngine On\n"
		for range 9 + random.IntN(12) {
			pattern := fmt.Sprintf("^/%s", word())
			if random.IntN(5) == 0 {
				pattern = "!" + pattern
			}
			conf += fmt.Sprintf("RewriteRule %s(.*)$ %s%s\n", strings.TrimPrefix(pattern, "!"), "/"+word()+"$1?"+word(), flag())
			if strings.HasPrefix(pattern, "!") {
				conf += "RewriteRule " + pattern + " -" + flag() + "\n"
			}
		}
		fast, slow := newRig(t, conf), newRig(t, "LogLevel rewrite:trace1\n"+conf)
		for range 10 {
			path := "GET /" + word() + "/" + word()
			if a, b := outcomeOf(fast, path), outcomeOf(slow, path); a != b {
				t.Fatalf("%s%s: %s, and %s when each rule is tried", conf, path, a, b)
			}
		}
	}
}
