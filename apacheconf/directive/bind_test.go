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
	for n := range strings.FieldsSeq("proxy proxy_http proxy_balancer headers rewrite ssl authz_core access_compat deflate expires mime setenvif") {
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
		{"RewriteRule a b [X]\n", "RewriteRule: unknown flag 'X'"},
		{"Options Foo\n", "Illegal option Foo"},
		{"DeflateCompressionLevel 10\n", "Compression Level must be between 1 and 9"},
		{"AddType text/x\n", "AddType requires at least two arguments, a mime type followed by one or more file extensions"},
	} {
		_, err := load(t, c.text)
		e, ok := err.(*apacheconf.Error)
		if !ok || e.Msg != c.want || e.Phase != apacheconf.Walking {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestEveryKnownDirectiveIsComplete(t *testing.T) {
	if n := len(Names()); n != 545 {
		t.Errorf("%d directives in httpd.tsv, want 545", n)
	}
	for _, name := range Names() {
		k := catalog()[strings.ToLower(name)]
		if k == nil || k.where == 0 || k.module == "" {
			t.Errorf("%s: %+v", name, k)
		}
	}
	for name := range closes {
		if catalog()[name] == nil {
			t.Errorf("unobeyed.go names %s, which httpd does not have", name)
		}
	}
}

func TestHints(t *testing.T) {
	c, err := load(t, "EnableSendfile On\nSSLVerifyClient require\nSSLProxyVerify none\nRewriteRule ^/x - [F]\nAllowEncodedSlashes On\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range c.Hints {
		got = append(got, fmt.Sprintf("%s %v", h.Name, h.Refuse))
	}
	if want := "EnableSendfile false, SSLVerifyClient true, SSLProxyVerify false, RewriteRule true, AllowEncodedSlashes false"; strings.Join(got, ", ") != want {
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
