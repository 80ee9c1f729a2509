package pattern

import (
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

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
		// as libpcre2 10 with httpd's options has it: bytes, not runes
		{"^..$", "é", false, true}, {"^.$", "é", false, false}, {"^/é(?!x)", "/é", false, true}, {"^/é(?!x)", "/éx", false, false},
		{"K", "\u212a", true, false}, {`\xfd`, "\xfd", false, true}, {"(?i)\xe9", "\xc9", false, false}, {"[a-\xff]", "\xc3", false, true},
		{`a\\Z`, `a\Z`, false, true}, {`a\\h`, `a\h`, false, true}, {`^[\h]$`, "\t", false, true}, {`[\h]`, "h", false, false}, {`a\Z`, "a\n", false, true},
		{`a++b`, "aab", false, true}, {`a++a`, "aa", false, false}, {`^(?<n>a)(?P=n)$`, "aa", false, true}, {`^\R$`, "\r\n", false, true},
		{`[]$](?=x)`, "]x", false, true}, {`[^]$](?!x)`, "$", false, false}, {`\s`, "\v", false, true}, {`[[:alpha:]]+(?=1)`, "ab1", false, true},
		{`\Qa.b\E+c`, "a.bbc", false, true}, {`(?x) a b # c`, "ab", false, true}, {`(?m)^b$`, "a\nb\nc", false, true}, {`^\p{Lu}$`, "A", false, true},
		{`a{,3}`, "a{,3}", false, true}, {`(?(?=a)ab|cd)`, "cd", false, true}, {`(?i)a(?-i)b`, "AB", false, false}, {`[^k]`, "K", true, false},
	} {
		p, err := Compile(c.expr, Options{Fold: c.fold})
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if got, err := p.Match(c.subject); got != c.ok || err != nil {
			t.Errorf("%q matches %q: %v, %v", c.expr, c.subject, got, err)
		}
		if _, ok, err := p.Find(c.subject, nil); ok != c.ok || err != nil {
			t.Errorf("%q finds in %q: %v, %v", c.expr, c.subject, ok, err)
		}
	}
	for _, bad := range []string{"(", "[", "a**b)", "(?<n", ")", "^*", "$*", `\b*`, `[a-\d]`, "[b-a]", "[[:foo:]]", "[:alpha:]", "[]", `\i`, `\`, `(a)\2`, "a{65536}", "(?z)"} {
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
		{"(Q)", "Q", `a\.b`, "a.b"},
		{"(Q)", "Q", `a\\b`, `a\b`},
		{"(Q)", "Q", `$1\\$1`, `Q\Q`},
		{"(Q)", "Q", `a\\\b$2`, `a\b`},
		{"(Q)", "Q", `x\y\z$1\q`, "xyzQq"},
		{"(Q)", "Q", `\1x$1\`, `1xQ\`},
		{"(Q)", "Q", "a$b$", "a$b$"},
		{"(?<n>a)(?=b)(b)", "ab", "$1-$2", "a-b"},
		{"é(.)", "xééy", "[$0|$1]", "[é\xc3|\xc3]"},
		{"é(?=y)(.)", "xééy", "[$0|$1]", "[éy|y]"},
	} {
		p, err := Compile(c.expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		loc, ok, _ := p.Find(c.subject, nil)
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

func TestUndecided(t *testing.T) {
	p, err := Compile(`^(a+)+(?=c)b$|^b*(?=d)$`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{strings.Repeat("a", 64) + "b", strings.Repeat("b", maxSubject+1)} {
		if _, ok, err := p.Find(subject, nil); ok || err != ErrUndecided {
			t.Errorf("a subject of %d bytes: %v, %v", len(subject), ok, err)
		}
		if ok, err := p.Match(subject); ok || err != ErrUndecided {
			t.Errorf("a subject of %d bytes: %v, %v", len(subject), ok, err)
		}
	}
	if _, ok, err := p.Find("aa", nil); ok || err != nil { // Go's engine sees that nothing ends it
		t.Errorf("%v, %v", ok, err)
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	if linear.Race {
		t.Skip("the engine's pools forget")
	}
	for _, expr := range []string{"^/app", "b", `\.(gif|png)$`, "^/x*y[^/]"} {
		p, err := Compile(expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { p.Match("/app/index.html") }); n > 0 {
			t.Errorf("%s: %v allocations", expr, n)
		}
	}
}

func BenchmarkHotLiteral(b *testing.B) {
	p, _ := Compile("^/app", Options{})
	b.ReportAllocs()
	for b.Loop() {
		p.Match("/app/index.html")
	}
}
