package directive

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"balancerd/apacheconf"
)

func load(t testing.TB, text string, mods ...Module) (*Config, error) {
	t.Helper()
	root := t.TempDir()
	var b strings.Builder
	for n := range strings.FieldsSeq("proxy proxy_http proxy_balancer headers rewrite ssl authz_core access_compat deflate expires mime setenvif macro http2 remoteip allowmethods") {
		fmt.Fprintf(&b, "LoadModule %s_module x.so\n", n)
	}
	name := filepath.Join(root, "httpd.conf")
	os.WriteFile(name, []byte(b.String()+text), 0o644)
	tree, err := apacheconf.ParseFile(name, apacheconf.Options{ServerRoot: root, Modules: Catalog{}})
	if err != nil {
		return nil, err
	}
	return Bind(tree, Options{}, mods...)
}

// TestMessages holds the words against httpd's, which were recorded by `apache2 -t`.
func TestMessages(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"ServerAdmin\n", "ServerAdmin takes one argument, The email address of the server administrator"},
		{"ServerAdmin a b\n", "ServerAdmin takes one argument, The email address of the server administrator"},
		{"KeepAlive maybe\n", "KeepAlive must be On or Off"},
		{"NoSuch on\n", "Invalid command 'NoSuch', perhaps misspelled or defined by a module not included in the server configuration"},
		{"SubstituteMaxLineLength 1\n", "Invalid command 'SubstituteMaxLineLength', perhaps misspelled or defined by a module not included in the server configuration"},
		{"Require all granted\n", "Require not allowed here"},
		{"<VirtualHost *:80>\nRequire all granted\n</VirtualHost>\n", "Require not allowed in <VirtualHost> context"},
		{"<Location />\nServerName x\n</Location>\n", "ServerName not allowed in <Location> context"},
		{"<Location />\n<Files x>\n</Files>\n</Location>\n", "<Files> cannot occur within <Location> section"},
		{"<VirtualHost *:80>\n<VirtualHost *:81>\n</VirtualHost>\n</VirtualHost>\n", "<VirtualHost> cannot occur within <VirtualHost> section"},
		{"<Proxy *>\n<Location />\n</Location>\n</Proxy>\n", "<Location not allowed in <Proxy> context"},
		{"<Limit GET>\n</Limit>\n", "<Limit not allowed here"},
		{"<Location /a\n</Location>\n", "<Location> directive missing closing '>'"},
		{"<Location>\n</Location>\n", "<Location> directive requires additional arguments"},
		{"<Else>\n</Else>\n", "<Else> or <ElseIf> section without previous <If> or <ElseIf> section in same scope"},
		{"<Foo bar>\n</Foo>\n", "Invalid command '<Foo', perhaps misspelled or defined by a module not included in the server configuration"},
		{"<Location /a b>\nNope\n</Location>\n", "Invalid command 'Nope', perhaps misspelled or defined by a module not included in the server configuration"},
		{"<Location /a b>\n</Location>\n", "Multiple <Location> arguments not (yet) supported."},
		{"<If \"true\" \"false\">\nNope\n</If>\n", "Invalid command 'Nope', perhaps misspelled or defined by a module not included in the server configuration"},
		{"<Else>\nNope\n</Else>\n", "Invalid command 'Nope', perhaps misspelled or defined by a module not included in the server configuration"},
		{"<Directory />\n<LimitExcept GET>\n<Limit HEAD>\n</Limit>\n</LimitExcept>\n</Directory>\n", "<Limit> directive excludes all methods"},
		{"<Directory />\n<Limit GET>\n<Limit GET POST>\n</Limit>\n</Limit>\n</Directory>\n", "<Limit> directive specifies methods already excluded"},
		{"<Directory />\n<Limit TRACE>\n</Limit>\n</Directory>\n", "TRACE cannot be controlled by <Limit>, see TraceEnable"},
		{"<location />\nServerName x\n</location>\n", "ServerName not allowed in <Location> context"},
		{"AddType text/x\n", "AddType requires at least two arguments, a mime type followed by one or more file extensions"},
	} {
		_, err := load(t, c.text)
		e, ok := err.(*apacheconf.Error)
		if !ok || e.Msg != c.want || e.Phase != apacheconf.Walking {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// TestAccepted: what httpd takes.
func TestAccepted(t *testing.T) {
	for _, text := range []string{
		"<Location ~ >\n</Location>\n", "<Directory ~ \"\">\n</Directory>\n", "<Directory />\n<LimitExcept TRACE>\n</LimitExcept>\n<Limit trace>\n</Limit>\n</Directory>\n",
		"<Directory />\n<LimitExcept GET>\n<LimitExcept POST>\n</LimitExcept>\n</LimitExcept>\n</Directory>\n",
		"<Proxy *>\n<If \"true\">\nSSLProxyEngine on\n</If>\n<Files x>\nSSLProxyVerify none\n</Files>\n</Proxy>\n", "<Directory />\nSSLRequireSSL x\n</Directory>\n",
		"<DirectoryMatch ~ \"a b\">\n</DirectoryMatch>\n", "RewriteMap a int:tolower \"\"\n", "SetEnvIf a b c\n",
	} {
		if _, err := load(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTooEarly: a read-time directive before its module is loaded does nothing, silently.
func TestTooEarly(t *testing.T) {
	tree, err := apacheconf.ParseText("F", "<Macro M>\nNope\n</Macro>\nUse M\nLoadModule macro_module x\n", apacheconf.Options{ServerRoot: "/", Modules: Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Bind(tree, Options{}); err != nil || len(c.Hints) > 0 {
		t.Errorf("%v, hints %v", err, c.Hints)
	}
}

func TestNestedLimits(t *testing.T) {
	var got *Scope
	note := func(s *Scope, a Args) error { got = s; return nil }
	_, err := load(t, "<Location />\n<LimitExcept GET PUT>\n<Limit PUT POST DELETE>\nHeader x\n</Limit>\n</LimitExcept>\n</Location>\n", Module{Table: Table{{Name: "Header", Set: note}}})
	if err != nil || got == nil || got.Except || strings.Join(got.Limited, " ") != "POST DELETE" {
		t.Errorf("%v %+v", err, got)
	}
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]bool{
		"<Location />\nAllowMethods GET\n</Location>": true, "RemoteIPProxyProtocol off": false,
	} {
		c, err := load(t, text+"\n")
		if err != nil || len(c.Hints) != 1 || c.Hints[0].Refuse != want {
			t.Errorf("%s: %v %+v, want refused %v", text, err, c.Hints, want)
		}
	}
}

func TestEveryKnownDirectiveIsComplete(t *testing.T) {
	if n := len(Names()); n != 547 {
		t.Errorf("%d directives in httpd.tsv, want 547", n)
	}
	for _, name := range Names() {
		k := catalog()[strings.ToLower(name)]
		if k == nil || k.where == 0 || k.module == "" {
			t.Errorf("%s: %+v", name, k)
		}
	}
	for _, e := range absent {
		if k := catalog()[strings.ToLower(e.Name)]; k == nil || k.name != e.Name {
			t.Errorf("absent has %s, which httpd does not have, or spells in another way", e.Name)
		}
	}
}

func TestHints(t *testing.T) {
	c, err := load(t, "EnableSendfile On\nLoadModule authn_anon_module x\n<Location />\nAnonymous_VerifyEmail off\nAnonymous_VerifyEmail on\nAllowMethods GET\n</Location>\nMutex x\n", Module{Table: Table{{Name: "Mutex", Ignored: &Ignored{Quiet: true}}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range c.Hints {
		got = append(got, fmt.Sprintf("%s %v", h.Name, h.Refuse))
	}
	if want := "EnableSendfile false, Anonymous_VerifyEmail false, Anonymous_VerifyEmail true, AllowMethods true"; strings.Join(got, ", ") != want {
		t.Errorf("hints %s, want %s", strings.Join(got, ", "), want)
	}
}

type words struct{ list []string }

func TestScopesAndKeys(t *testing.T) {
	key := NewKey("test", func(outer, inner words) words { return words{append(append([]string{}, outer.list...), inner.list...)} })
	note := func(s *Scope, a Args) error {
		k := key.In(s)
		k.list = append(k.list, strings.Join(a.Words, "+"))
		return nil
	}
	raw := func(s *Scope, a Args) error {
		a.Words = []string{a.Raw}
		return note(s, a)
	}
	c, err := load(t, "ServerAdmin main\n<VirtualHost *:80 [::1]:81>\n<Location /a>\nHeader x\n<Limit GET POST>\nHeader in-limit\n</Limit>\n<If \"true\">\nHeader i\n</If>\n</Location>\n<LocationMatch \"^/b\">\n</LocationMatch>\n<Location ~ ^/c>\n</Location>\n</VirtualHost>\n",
		Module{Table: Table{{Name: "ServerAdmin", Set: note}, {Name: "Header", Set: raw}}})
	if err != nil {
		t.Fatal(err)
	}
	v := c.VHosts[0]
	if v.Arg != "*:80 [::1]:81" || len(v.Children) != 3 {
		t.Fatalf("virtual host %q with %d sections", v.Arg, len(v.Children))
	}
	a := v.Children[0]
	if got := key.Merged(c.Main, v, a, a.Children[0]).list; strings.Join(got, " ") != "main x in-limit i" {
		t.Errorf("merged %v", got)
	}
	if !v.Children[1].Regex || !v.Children[2].Regex || v.Children[2].Arg != "^/c" {
		t.Errorf("regular expressions: %+v %+v", v.Children[1], v.Children[2])
	}
}

func BenchmarkLoad10000(b *testing.B) {
	var text strings.Builder
	for v := range 500 {
		fmt.Fprintf(&text, "<VirtualHost *:80>\nServerName v%d.example\n<Proxy balancer://c%d>\n", v, v)
		for m := range 20 {
			fmt.Fprintf(&text, "  BalancerMember http://10.0.%d.%d:8080 route=r%d loadfactor=2\n", v%256, m, m)
		}
		text.WriteString("</Proxy>\n</VirtualHost>\n")
	}
	for b.Loop() {
		if _, err := load(b, text.String()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestReadingIsLinear: ten times the virtual hosts, written out or by a macro, cost ten times the work, and each line no
// more than a few pieces of memory.
func TestReadingIsLinear(t *testing.T) {
	host := "<VirtualHost *:80>\nServerName h%[1]s.test\n<Location /a>\nHeader set X y\n</Location>\nHeader set X %[1]s\n</VirtualHost>\n"
	note := func(*Scope, Args) error { return nil }
	mods := Module{Table: Table{{Name: "Header", Set: note}, {Name: "ServerName", Set: note}}}
	for name, text := range map[string]func(n int) string{
		"written out": func(n int) string { return strings.Repeat(fmt.Sprintf(host, "n"), n) },
		"by a macro": func(n int) string {
			return "<Macro Host $n>\n" + fmt.Sprintf(host, "$n") + "</Macro>\n" + strings.Repeat("Use Host n\n", n)
		},
	} {
		cost := func(n int) float64 {
			return testing.AllocsPerRun(2, func() {
				if c, err := load(t, text(n), mods); err != nil || len(c.VHosts) != n {
					t.Fatal(err)
				}
			})
		}
		few, many := cost(100), cost(1000)
		if lines := 1000 * float64(strings.Count(host, "\n")); many > 15*few || many > 30*lines {
			t.Errorf("%s: %v and %v allocations for %v lines", name, few, many, lines)
		}
	}
}

// What editors and web pages put into lines is told, whether the line loads or not.
func TestOddities(t *testing.T) {
	const mark, blank, comment = "a byte order mark stands in front: save the file without one", "a no-break space parts no words: write a plain one",
		"a # behind a directive begins no comment: comments need lines of their own"
	for text, want := range map[string]string{
		"ServerAdmin “a” “b”\n":                                                   curlyQuotes,
		"KeepAlive\u00a0On\n":                                                     blank,
		"KeepAlive maybe # perhaps\n":                                             comment,
		"KeepAlive \"maybe # perhaps\"\n":                                         "",
		"<Location /a> #\nServerAdmin a b\n</Location>\n":                         "",
		"KeepAlife On # “perhaps”\n":                                              "did you mean KeepAlive?",
		"<Location “/a>\nKeepAlive\u00a0On\n</Location>\n":                        blank,
		"<VirtualHost *:80>\n<VirtualHost “b”>\n</VirtualHost>\n</VirtualHost>\n": curlyQuotes,
	} {
		_, err := load(t, text)
		if e, ok := err.(*apacheconf.Error); !ok || e.Hint != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	tree, err := apacheconf.ParseText("f", "\ufeffKeepAlive On\n", apacheconf.Options{ServerRoot: "/", Modules: Catalog{}})
	if err == nil {
		_, err = Bind(tree, Options{})
	}
	if e, ok := err.(*apacheconf.Error); !ok || e.Hint != mark {
		t.Errorf("a mark: %v", err)
	}
	for text, want := range map[string]string{
		"ServerAdmin “a”\n":            curlyQuotes,
		"<Location “/a”>\n</Location>": curlyQuotes,
		"ServerAdmin \"a “b”\"\n":      "",
		"ServerAdmin a“b”\n":           "",
	} {
		c, err := load(t, text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, h := range c.Hints {
			if h.Text == curlyQuotes {
				got = h.Text
			}
		}
		if got != want {
			t.Errorf("%s: %v", text, c.Hints)
		}
	}
}
