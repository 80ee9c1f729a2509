package pattern

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		expr, subject string
		fold, ok      bool
	}{
		{"^/a", "/ab", false, true}, {"^/a", "x/a", false, false}, {"b", "abc", false, true}, {"", "", false, true},
		{"^/(one)/(.*)$", "/one/two", false, true}, {"a$", "a\n", false, false}, {"a.b", "a\nb", false, true},
		{"CURL", "curl", true, true}, {"CURL", "curl", false, false}, {`\.gif$`, "/a.gif", false, true}, {`\.gif$`, "/a.gifx", false, false},
		{"^/x*y", "/y", false, true}, {"^/ab*c", "/ac", false, true}, {"^/a|b", "xb", false, true}, {"^a{2}", "aa", false, true},
		{"^(?!/api)/", "/x", false, true}, {"^(?!/api)/", "/api/x", false, false}, {`(a)\1`, "aa", false, true}, {`(a)\1`, "ab", false, false},
		{`^/(?!é)$`, "/", false, true},
	} {
		p, err := Compile(c.expr, Options{Fold: c.fold})
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if got := p.Match(c.subject); got != c.ok {
			t.Errorf("%q matches %q: %v", c.expr, c.subject, got)
		}
		if _, ok := p.Find(c.subject, nil); ok != c.ok {
			t.Errorf("%q finds in %q: %v", c.expr, c.subject, ok)
		}
	}
	for _, bad := range []string{"(", "[", "a**b)", "(?<n"} {
		if _, err := Compile(bad, Options{}); err == nil {
			t.Errorf("%q compiles", bad)
		}
	}
}

func TestExpand(t *testing.T) {
	for _, c := range []struct{ expr, subject, template, want string }{
		{"^/(one)/(.*)$", "/one/two", "/$2/$1", "/two/one"},
		{"^/un(x)?set", "/unset", "[$1]", "[]"},
		{"^/lit/(.*)", "/lit/z", `\$1&$1\&$`, "$1&z&$"},
		{"^/(?=a)(.)", "/ab", "$0-$1", "/a-a"},
		{"b", "abc", "$0", "b"},
	} {
		p, err := Compile(c.expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		loc, ok := p.Find(c.subject, nil)
		if got := string(p.Expand(nil, c.template, c.subject, loc)); !ok || got != c.want {
			t.Errorf("%s on %s with %s gives %q, want %q", c.expr, c.subject, c.template, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, expr := range []string{"^/(?<rest>.*)$", "^/(?=x)(?<rest>.*)$"} {
		p, err := Compile(expr, Options{})
		if err != nil || p.Groups() != 1 || p.Names()[1] != "rest" {
			t.Errorf("%s: %v, names %q", expr, err, p.Names())
		}
	}
}

// FuzzLiteral holds the shortcut for literal text against the engine itself.
func FuzzLiteral(f *testing.F) {
	f.Add("^/a", "/ab")
	f.Add("x*y", "y")
	f.Add("ab?c", "ac")
	f.Fuzz(func(t *testing.T, expr, subject string) {
		p, err := Compile(expr, Options{})
		if err != nil || p.fast == nil {
			return
		}
		if want := p.fast.MatchString(subject); p.Match(subject) != want {
			t.Errorf("%q on %q: shortcut says %v", expr, subject, !want)
		}
	})
}

func BenchmarkHotLiteral(b *testing.B) {
	p, _ := Compile("^/app", Options{})
	b.ReportAllocs()
	for b.Loop() {
		p.Match("/app/index.html")
	}
}
