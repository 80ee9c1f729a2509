package headers

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/site"
)

func bind(t testing.TB, text string) (*directive.Config, error) {
	t.Helper()
	root := t.TempDir()
	name := filepath.Join(root, "httpd.conf")
	head := "LoadModule headers_module x.so\nLoadModule socache_shmcb_module x.so\nLoadModule ssl_module x.so\n"
	if err := os.WriteFile(name, []byte(head+text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := apacheconf.ParseFile(name, apacheconf.Options{ServerRoot: root, Modules: directive.Catalog{}})
	if err != nil {
		return nil, err
	}
	return directive.Bind(tree, directive.Options{}, site.Tables(Modules())...)
}

// plan is what the module makes of the main server and all its sections.
func plan(t testing.TB, text string) *site.Plan {
	t.Helper()
	c, err := bind(t, text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Module().Open(c, &site.Site{Settings: site.Settings{MaxWorkers: 50}})
	if err != nil {
		t.Fatal(err)
	}
	p := &site.Plan{}
	if err := b(append([]*directive.Scope{c.Main}, c.Main.Children...), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// sample is an exchange whose member's response has the fields.
func sample(answer ...string) *exchange.Exchange {
	x := &exchange.Exchange{Conn: &exchange.Conn{}, Server: &exchange.Server{Name: "localhost"}, Start: time.Now()}
	x.Req.Method, x.Req.Path, x.Req.Query = "GET", "/e", "a%0d%0ab"
	fill(&x.Req.Header, "Host: localhost", "X-In: 1", "X-L: b, a")
	x.Env.Set("E", "value")
	x.Env.Set("LINES", "a\r\nb")
	x.Res.Status, x.Res.Proxied = 200, true
	fill(&x.Res.Header, answer...)
	return x
}

func fill(h *exchange.Header, fields ...string) {
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		h.Add(name, value)
	}
}

func text(h *exchange.Header) string {
	var b []string
	for i := range h.F {
		b = append(b, h.F[i].Name+": "+h.F[i].Value)
	}
	return strings.Join(b, " | ")
}

func run(phase []site.Step, x *exchange.Exchange) error {
	for _, f := range phase {
		if err := f.Do(context.Background(), x); err != nil {
			return err
		}
	}
	return nil
}

// usual is the response that httpd was asked about.
var usual = []string{"X-E: aaa", "X-Two: 1", "X-E: bab", "X-L: a, d ,\"b,c\""}

// TestAnswer holds the fields and their order against httpd 2.4's.
func TestAnswer(t *testing.T) {
	for _, c := range []struct{ conf, always, answer string }{
		{"Header set X-New \"a value\"", "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X-New: a value`},
		{"Header add X-E b\nHeader set x-e c\nHeader unset X-L", "", `X-E: c | X-Two: 1`},
		{"Header setifempty X-E new\nHeader setifempty X-F new\nHeader add X-E more\nHeader append X-E app\nHeader unset X-Two\nHeader set X-E2 z\nHeader edit X-E a b", "",
			`X-L: a, d ,"b,c" | X-F: new | X-E2: z | X-E: baa, app | X-E: bbb | X-E: more`},
		{`Header merge X-L "\"b,c\""` + "\nHeader merge X-L d\nHeader merge X-L e\nHeader merge X-E \"\"\nHeader merge X-New n", "", `X-E: aaa,  | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c", d, e | X-New: n`},
		{`Header edit X-E a "\$0b$0%%"`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: $0ba%aa | X-E: b$0ba%b`},
		{`Header edit X-E "(.)(.)" "$2-$1%{E}e"`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: a-avaluea | X-E: a-bvalueb`},
		{`Header edit* X-E "a" "expr=%{REQUEST_METHOD}$0"`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: GETGETGET | X-E: bGETb`},
		{`Header edit* X-E ^a b`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: bbb | X-E: bab`},
		{`Header edit* X-E x* -`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: -a-a-a- | X-E: -b-a-b-`},
		{`Header edit X-E "" z`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: zaaa | X-E: zbab`},
		{`Header edit X-E nomatch z`, "", `X-Two: 1 | X-L: a, d ,"b,c" | X-E: aaa | X-E: bab`},
		{`Header edit X-None a z`, "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c"`},
		{"Header echo ^X-I\nHeader echo host", "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X-In: 1`},
		{"Header note X-E \"%{E}e k\"\nHeader set N \"expr=%{note:value k}\"\nHeader note X-None N\nHeader unset X-E\nHeader unset X-L", "", `X-Two: 1 | N: aaa`},
		{"Header set X: \"%%%{E}e%{NOPE}e%\"", "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X: %value(null)%`},
		{`Header set X "a\tb\\\\c\qd\""`, "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X: a` + "\t" + `b\c\qd"`},
		{"Header set X %{LINES}e", "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X: a  b`},
		{"Header set X \"%{REQUEST_METHOD}s %{SSL_PROTOCOL}s\"", "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X: GET (null)`},
		{"Header unset X-E env=E\nHeader unset X-Two env=!E\nHeader unset X-L env=NOPE", "", `X-Two: 1 | X-L: a, d ,"b,c"`},
		{"Header unset X-E \"expr=%{REQUEST_STATUS} -ge 400\"\nHeader unset X-Two \"expr=req('X-In') == '1'\"", "", `X-E: aaa | X-E: bab | X-L: a, d ,"b,c" | Vary: X-In`},
		{"Header set X yes \"expr=file('/nope') == 'a'\"\nHeader set Y expr=%{file:/nope}", "", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X: yes | Y: `},
		{"Header always set X-E always\nHeader always append X-A a\nHeader always append X-A b\nHeader onsuccess unset X-E\nHeader set R \"expr=%{resp:X-A}\"", "X-Early: e | X-E: always | X-A: a, b", `X-Two: 1 | X-L: a, d ,"b,c" | R: a, b`},
		{"Header append X main\n<Location />\nHeader append X loc\nHeader always append X l\n</Location>\n<If true>\nHeader append X if\n</If>\nHeader append X main2", "X-Early: e | X: l", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c" | X: main, main2, loc, if`},
		{"Header set X y early", "X-Early: e", `X-E: aaa | X-Two: 1 | X-E: bab | X-L: a, d ,"b,c"`},
	} {
		x := sample(usual...)
		x.Res.Always.Add("X-Early", "e")
		if err := run(plan(t, c.conf).Steps(site.Reply), x); err != nil {
			t.Errorf("%s: %v", c.conf, err)
		}
		if got := text(&x.Res.Header); got != c.answer {
			t.Errorf("%s\n got %s\nwant %s", c.conf, got, c.answer)
		}
		want := c.always
		if want == "" {
			want = "X-Early: e"
		}
		if got := text(&x.Res.Always); got != want {
			t.Errorf("%s always\n got %s\nwant %s", c.conf, got, want)
		}
		checkIDs(t, &x.Res.Header)
	}
}

// checkIDs holds each field's number against its name.
func checkIDs(t *testing.T, h *exchange.Header) {
	t.Helper()
	for i := range h.F {
		var one exchange.Header
		one.Add(h.F[i].Name, "")
		if one.F[0].ID != h.F[i].ID {
			t.Errorf("the number of %s is wrong", h.F[i].Name)
		}
	}
}

// TestType: what Header does to Content-Type, with and without one from the member, as httpd 2.4 does.
func TestType(t *testing.T) {
	for _, c := range []struct{ conf, with, without, local string }{
		{"Header unset Content-Type", "", "", ""},
		{"Header always unset Content-Type", "text/css", "", ""},
		{"Header set content-type a/b", "a/b", "a/b", "a/b"},
		{"Header always set Content-Type a/b", "always a/b", "always a/b", "always a/b"},
		{"Header add Content-Type a/b", "text/css", "a/b", "text/css"},
		{"Header always add Content-Type a/b", "always text/css", "always a/b", "always text/css"},
		{"Header append Content-Type a/b", "text/css", "a/b", "text/css"},
		{"Header merge Content-Type a/b", "text/css", "a/b", "text/css"},
		{"Header setifempty Content-Type a/b", "text/css", "a/b", "a/b"},
		{"Header always setifempty Content-Type a/b", "always a/b", "always a/b", "always a/b"},
		{"Header edit Content-Type css plain", "text/plain", "", "text/plain"},
		{"Header always edit Content-Type css plain", "text/plain", "", "text/plain"},
		{"Header set Content-Type a/b\nHeader append Content-Type c/d", "a/b", "a/b", "a/b"},
		{"Header unset Content-Type\nHeader add Content-Type a/b", "a/b", "a/b", "a/b"},
		{"Header set Content-Type a/b\nHeader always set Content-Type c/d", "always a/b", "always a/b", "always a/b"},
		{"Header add Content-Type x/css\nHeader edit Content-Type css plain", "text/plain", "x/plain", "text/plain"},
	} {
		p := plan(t, c.conf)
		for i, want := range []string{c.with, c.without, c.local} {
			x := sample()
			if i != 1 {
				x.Res.Header.Add("Content-Type", "text/css")
			}
			x.Res.Proxied = i != 2
			if err := run(p.Steps(site.Reply), x); err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(text(&x.Res.Header), "Content-Type: ", "")
			if a := text(&x.Res.Always); a != "" {
				got += strings.ReplaceAll(a, "Content-Type: ", "always ")
			}
			if !strings.EqualFold(strings.ReplaceAll(got, "content-type: ", ""), want) {
				t.Errorf("%s (%d): %q, want %q", c.conf, i, got, want)
			}
		}
	}
}

// TestErrorPage: only always counts, on a header of its own.
func TestErrorPage(t *testing.T) {
	for _, c := range []struct{ conf, always, page string }{
		{"Header set X y\nHeader unset WWW-Authenticate", "WWW-Authenticate: Basic", "Content-Type: text/html; charset=iso-8859-1"},
		{"Header always unset WWW-Authenticate", "WWW-Authenticate: Basic", "Content-Type: text/html; charset=iso-8859-1"},
		{"Header always set WWW-Authenticate Foo", "WWW-Authenticate: Foo | WWW-Authenticate: Basic", "Content-Type: text/html; charset=iso-8859-1"},
		{"Header always append WWW-Authenticate Foo", "WWW-Authenticate: Foo | WWW-Authenticate: Basic", "Content-Type: text/html; charset=iso-8859-1"},
		{"Header always set Content-Type Foo/bar", "Content-Type: Foo/bar | WWW-Authenticate: Basic", ""},
		{"Header always unset Content-Type", "WWW-Authenticate: Basic", ""},
		{"Header always edit Content-Type html foo", "WWW-Authenticate: Basic", "Content-Type: text/foo; charset=iso-8859-1"},
		{"Header always echo ^X-In", "WWW-Authenticate: Basic", "Content-Type: text/html; charset=iso-8859-1 | X-In: 1"},
		{"Header always set A b \"expr=req('X-In') == '1'\"", "A: b | WWW-Authenticate: Basic", "Content-Type: text/html; charset=iso-8859-1 | Vary: X-In"},
	} {
		x := sample("Content-Type: text/html; charset=iso-8859-1")
		x.Res.Status, x.Res.Proxied, x.Res.Local, x.Res.ErrorPage = 401, false, true, true
		x.Res.Always.Add("WWW-Authenticate", "Basic")
		if err := run(plan(t, c.conf).Steps(site.Reply), x); err != nil {
			t.Fatal(err)
		}
		if a, p := text(&x.Res.Always), text(&x.Res.Header); a != c.always || p != c.page {
			t.Errorf("%s\n got %s || %s\nwant %s || %s", c.conf, a, p, c.always, c.page)
		}
	}
}

func TestRequest(t *testing.T) {
	for _, c := range []struct{ conf, want string }{
		{"RequestHeader set X-In \"a value\"", "Host: localhost | X-In: a value | X-L: b, a"},
		{"RequestHeader append X-L b\nRequestHeader merge X-L b\nRequestHeader merge X-L c", "Host: localhost | X-In: 1 | X-L: b, a, b, c"},
		{"RequestHeader add X-L c\nRequestHeader edit X-L a z", "Host: localhost | X-In: 1 | X-L: b, z | X-L: c"},
		{"RequestHeader unset x-in\nRequestHeader setifempty X-L no\nRequestHeader setifempty X-F %{E}e", "Host: localhost | X-L: b, a | X-F: value"},
		{"RequestHeader set X-H expr=%{req:Host}\nRequestHeader unset X-L\nRequestHeader set X-In %{NOPE}e", "Host: localhost | X-In: (null) | X-H: localhost"},
		{"RequestHeader set Content-Type a/b\nRequestHeader set Host other", "Host: other | X-In: 1 | X-L: b, a | Content-Type: a/b"},
		{"RequestHeader set X-In expr=%{unescape:%{QUERY_STRING}}", "Host: localhost | X-In: a  b | X-L: b, a"},
		{`RequestHeader set X-In "a\r\nb\tc"`, "Host: localhost | X-In: a  b\tc | X-L: b, a"},
		{"RequestHeader set X-In early early", "Host: localhost | X-In: 1 | X-L: b, a"},
	} {
		x := sample()
		if err := run(plan(t, c.conf).Steps(site.Fixup), x); err != nil {
			t.Fatal(err)
		}
		if got := text(&x.Req.Header); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.conf, got, c.want)
		}
		checkIDs(t, &x.Req.Header)
		if x.Res.Header.Len() > 0 {
			t.Errorf("%s: the answer has %s", c.conf, text(&x.Res.Header))
		}
	}
}

func TestEarly(t *testing.T) {
	p := plan(t, "RequestHeader set X-In early early\nRequestHeader set X-L late\nHeader set A a early\nHeader always set B b early\nHeader set C c\n<Location />\nRequestHeader set X-Never 1 early\n</Location>")
	x := sample()
	if err := run(p.Steps(site.Early), x); err != nil {
		t.Fatal(err)
	}
	first := &site.Plan{}
	first.Add(site.Early, "look", func(_ context.Context, x *exchange.Exchange) error {
		x.Env.Set("SEEN", x.Req.Header.Get("X"))
		return nil
	})
	early(lists{request: []edit{{act: set, name: "X", value: value{constant: "1"}, early: true}}}, first)
	if run(first.Steps(site.Early), x); x.Env.Value("SEEN") != "1" {
		t.Error("another module looked before")
	}
	x.Req.Header.Del("X")
	if got := text(&x.Req.Header); got != "Host: localhost | X-In: early | X-L: b, a" {
		t.Error(got)
	}
	if a, h := text(&x.Res.Always), text(&x.Res.Header); a != "B: b" || h != "A: a" {
		t.Error(a, h)
	}
	run(p.Steps(site.Fixup), x)
	if got := text(&x.Req.Header); got != "Host: localhost | X-In: early | X-L: late" {
		t.Error(got)
	}
}

type logged struct{ lines []string }

func (l *logged) Write(e *exchange.LogEntry) { l.lines = append(l.lines, e.Module+" "+e.Message) }

// TestImproper: a field that would break the response's framing is refused.
func TestImproper(t *testing.T) {
	for _, c := range []struct{ conf, log string }{
		{`Header set X "a\nb"`, "http AH02430: Response header 'X' value of 'a\nb' contains invalid characters, aborting request"},
		{`Header always set X "a\nb"`, "http AH02430: Response header 'X' value of 'a\nb' contains invalid characters, aborting request"},
		{"Header set X expr=%{unescape:%{QUERY_STRING}}", "http AH02430: Response header 'X' value of 'a\r\nb' contains invalid characters, aborting request"},
		{`Header set "" b`, "http AH02428: Empty response header name, aborting request"},
		{`Header set "X;Y" b`, "http AH02429: Response header name 'X;Y' contains invalid characters, aborting request"},
		{`Header edit X-E a "\nb"`, "http AH02430: Response header 'X-E' value of '\nbaa' contains invalid characters, aborting request"},
	} {
		x, l := sample("X-E: aaa"), &logged{}
		x.Server.ErrorLog = l
		if err := run(plan(t, c.conf).Steps(site.Reply), x); err != exchange.Status(500) {
			t.Errorf("%s: %v", c.conf, err)
		}
		if len(l.lines) != 1 || l.lines[0] != c.log {
			t.Errorf("%s: %q", c.conf, l.lines)
		}
		if x.Res.Always.Len() > 0 {
			t.Errorf("%s: %s stays", c.conf, text(&x.Res.Always))
		}
	}
}

func TestLog(t *testing.T) {
	x, l := sample(), &logged{}
	x.Server.ErrorLog = l
	run(plan(t, "Header set X expr=%{file:/nope}\nHeader set X y \"expr=-n file('/nope')\"").Steps(site.Reply), x)
	var got []string
	for _, s := range l.lines {
		at := strings.Index(s, "httpd.conf:")
		if at > 0 {
			s = s[:strings.Index(s, "/")] + s[at:]
		}
		got = append(got, s)
	}
	want := []string{"headers Evaluation of expression from httpd.conf:4 failed: Cannot open file /nope", "headers AH02557: Can't evaluate value expression: Cannot open file /nope",
		"headers Evaluation of expression from httpd.conf:5 failed: Cannot open file /nope", "headers AH01501: Failed to evaluate expression (Cannot open file /nope) - ignoring"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
}

func TestFigures(t *testing.T) {
	p := plan(t, "Header set X \"%D %t %l %i %b\"")
	x, other := sample(), sample()
	run(p.Steps(site.Early), x)
	run(p.Steps(site.Early), other)
	run(p.Steps(site.Reply), x)
	f := strings.Fields(x.Res.Header.Get("X"))
	if len(f) != 5 || !strings.HasPrefix(f[0], "D=") || !strings.HasPrefix(f[1], "t=1") || strings.Count(f[2], "/") != 2 || f[3] != "i=96" || f[4] != "b=4" {
		t.Error(f)
	}
	other.Finish()
	run(p.Steps(site.Reply), x)
	if f := strings.Fields(x.Res.Header.Get("X")); f[3] != "i=98" || f[4] != "b=2" {
		t.Error(f)
	}
	if p := plan(t, "Header set X %D"); len(p.Steps(site.Early)) > 0 {
		t.Error("exchanges are counted for nothing")
	}
}

// TestMessages holds the words against httpd's, as `apache2 -t` prints them.
func TestMessages(t *testing.T) {
	b, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		text, want, _ := strings.Cut(line, "\t")
		got := "Syntax OK"
		if _, err := bind(t, text); err != nil {
			got = err.(*apacheconf.Error).Msg
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	if p := plan(t, "<Location />\n</Location>"); len(p.Steps(site.Early))+len(p.Steps(site.Fixup))+len(p.Steps(site.Reply)) > 0 {
		t.Error("steps without directives")
	}
}

func TestNoAllocation(t *testing.T) {
	if poison.On {
		t.Skip("pools keep nothing")
	}
	p := plan(t, `Header set X-Frame-Options DENY
Header always set Strict-Transport-Security "max-age=1"
Header append X-L more
Header unset X-Two
Header set X-E "%{E}e at %t"
Header set Content-Type text/plain
Header edit X-E v w
Header set X-M "expr=%{REQUEST_METHOD}" "expr=%{REQUEST_STATUS} -eq 200"
RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}`)
	x := sample(usual...)
	once := func() {
		x.Arena.Reset()
		x.Res.Always.Reset()
		x.Res.Header.Reset()
		x.Res.Header.Add("X-L", "a")
		x.Res.Header.Add("X-Two", "a")
		x.Res.Header.Add("Content-Type", "text/css")
		run(p.Steps(site.Fixup), x)
		if err := run(p.Steps(site.Reply), x); err != nil {
			t.Fatal(err)
		}
	}
	once()
	if n := testing.AllocsPerRun(100, once); n > 1 { // the 1 is the match of Header edit, in Go's regexp
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHotHeader(b *testing.B) {
	for _, conf := range []string{"Header set X-Frame-Options DENY", "Header set X-E %{E}e", "Header unset X-Two", "Header set X y \"expr=%{REQUEST_STATUS} -ge 400\""} {
		p := plan(b, conf)
		x := sample(usual...)
		b.Run(conf, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x.Arena.Reset()
				run(p.Steps(site.Reply), x)
			}
		})
	}
}
