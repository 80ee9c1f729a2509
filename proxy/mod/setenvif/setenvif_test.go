package setenvif

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/site"
	"balancerd/testdata/linear"
)

func bind(t testing.TB, text string) (*directive.Config, error) {
	t.Helper()
	root := t.TempDir()
	name := filepath.Join(root, "httpd.conf")
	head := "LoadModule setenvif_module x.so\nLoadModule env_module x.so\n"
	if err := os.WriteFile(name, []byte(head+text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := apacheconf.ParseFile(name, apacheconf.Options{ServerRoot: root, Modules: directive.Catalog{}})
	if err != nil {
		return nil, err
	}
	return directive.Bind(tree, directive.Options{}, site.Tables(Modules())...)
}

// plan is what the modules make of the main server and all its sections.
func plan(t testing.TB, text string) *site.Plan {
	t.Helper()
	c, err := bind(t, text)
	if err != nil {
		t.Fatal(err)
	}
	chain := append([]*directive.Scope{c.Main}, c.Main.Children...)
	p := &site.Plan{}
	for _, m := range Modules() {
		b, err := m.Open(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b(chain, p); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func sample() *exchange.Exchange {
	x := &exchange.Exchange{Conn: &exchange.Conn{Local: netip.MustParseAddrPort("[::ffff:127.0.0.9]:80"), RemoteIP: "127.0.0.1"}, Server: &exchange.Server{}, ClientIP: "127.0.0.1"}
	x.Req.Method, x.Req.Major, x.Req.Minor, x.Req.RawPath = "GET", 1, 1, "/%61b%20c"
	for _, f := range []string{"X-E: xaby", "X-R1: r1", "X-R2: r2", "User-Agent: curl/8"} {
		name, value, _ := strings.Cut(f, ": ")
		x.Req.Header.Add(name, value)
	}
	return x
}

// run walks the phases as the site does.
func run(t testing.TB, p *site.Plan, x *exchange.Exchange) {
	t.Helper()
	for i, phase := range []site.Phase{site.Early, site.Parse, site.Fixup} {
		if i == 1 {
			x.Req.Path = "/ab c"
		}
		for _, f := range p.Steps(phase) {
			if err := f.Do(context.Background(), x); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRules holds the variables against what httpd 2.4 sets.
func TestRules(t *testing.T) {
	for _, c := range []struct{ conf, want string }{
		{"SetEnvIf Request_URI ^(.*)$ U=$1", "U=/%61b%20c"},
		{"SetEnvIf Request_URI . A", "A=1"},
		{"SetEnvIf Request_URI nope A", ""},
		{"SetEnvIf Remote_Addr ^127 A=yes B !A", "B=1"},
		{"SetEnvIf Server_Addr (.*) A=$1", "A=127.0.0.9"},
		{"SetEnvIf remote_host (.*) A=$1", "A=127.0.0.1"},
		{"SetEnvIf Request_Protocol (.*) A=$1\nSetEnvIf Request_Method (.*) B=$1", "A=HTTP/1.1 B=GET"},
		{`SetEnvIf X-E ^(.)(.) "A=$2$1\$1&$$1$9"`, "A=ax$1&$x"},
		{"SetEnvIf x-e ab A=$0", "A=$0"},
		{"SetEnvIf X-E AB A", ""},
		{"SetEnvIfNoCase X-E AB A", "A=1"},
		{"SetEnvIfNoCase X-E A(B) A=$1", "A=b"},
		{`SetEnvIf X-E a\.b A` + "\n" + `SetEnvIf Request_Protocol 1\.1 B`, "B=1"},
		{"SetEnvIf ^X-R.* (.*) A=$1", "A=r2"},
		{"SetEnvIf ^x-r.* . A\nSetEnvIfNoCase ^x-r1 (.*) B=$1", "B=r1"},
		{"SetEnvIf None ^$ A", "A=1"},
		{"SetEnvIf X-E . A=1 B=2 A=3", "A=3 B=2"},
		{"SetEnvIf X-E . A==1=2 B= !C=3", "A=1=2 B=1 !C=3"},
		{"SetEnvIf X-E . A=1\nSetEnvIf X-E . A=!x", ""},
		{"SetEnvIf X-E . CH=1\nSetEnvIf CH 1 CH=2\nSetEnvIf CH 2 C3\nSetEnvIf ch 1 C4", "CH=2 C4=1"},
		{"SetEnvIf X-E . CH=1\nSetEnvIf CH 1 CH=2\nSetEnvIf X-E . O\nSetEnvIf CH 2 C3", "CH=2 O=1 C3=1"},
		{"BrowserMatch curl A=$0\nBrowserMatchNoCase ^CU(R) B=$1\nBrowserMatch CURL C", "A=$0 B=r"},
		{"SetEnvIfExpr \"req('X-E') =~ /a(b)/\" A=$1-$0-$2", "A=b-ab-"},
		{"SetEnvIfExpr \"req('X-E') !~ /q(b)/\" A=$1-$0", "A=$1-$0"},
		{"SetEnvIfExpr true A=$1-$0", "A=-"},
		{"SetEnvIfExpr false A", ""},
		{"SetEnvIf X-E (.*) A=$1\nSetEnvIfExpr \"req('X-R1') =~ /(.)/\" B=$1\nSetEnvIf X-E (.*) C=$1", "A=xaby B=r C=xaby"},
		{"SetEnvIf X-E . 'A=a b' \"B=\\\"q\\\"\"", `A=a b B="q"`},
		{"<Location />\nSetEnvIf Request_URI (.*) U=$1\n</Location>", "U=/ab c"},
		{"SetEnvIf X-E . A\n<Location />\nSetEnvIf A 1 B\n</Location>", "A=1 B=1"},
		{"<If true>\nSetEnvIf X-E . A\n</If>", "A=1"},

		{"SetEnv A a\nSetEnv B\nSetEnv a c", "A=c B="},
		{"SetEnvIf X-E . A=if\nSetEnv A plain", "A=if"},
		{"SetEnv A a\nUnsetEnv a\nSetEnv B b", "B=b"},
		{"SetEnv A a\nSetEnv B b\n<Location />\nUnsetEnv a\nSetEnv C c\n</Location>", "B=b C=c"},
		{"UnsetEnv A\nSetEnv A a", "A=a"},
		{"SetEnv A a\n<Location />\nUnsetEnv A\nSetEnv A c\n</Location>\n<If true>\nSetEnv A i\n</If>", "A=i"},
		{"SetEnv A=B c", "A=B=c"},
		{"PassEnv SETENVIF_TEST SETENVIF_NONE", "SETENVIF_TEST=v"},
	} {
		t.Setenv("SETENVIF_TEST", "v")
		x := sample()
		run(t, plan(t, c.conf), x)
		var got []string
		for i := range x.Env.Len() {
			n, v := x.Env.At(i)
			got = append(got, n+"="+v)
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.conf, g, c.want)
		}
	}
}

// TestMessages holds the words against httpd's, as `apache2 -t` prints them.
func TestMessages(t *testing.T) {
	for text, want := range map[string]string{
		"SetEnvIf": "Missing header-field name for SetEnvIf", "SetEnvIf X": "Missing regular expression for SetEnvIf", "SetEnvIf X y": "Missing envariable expression for SetEnvIf",
		"SetEnvIf X ( a": "SetEnvIf regex could not be compiled.", "SetEnvIf ^( y a": "SetEnvIfHeader name regex could not be compiled.", `SetEnvIf "" y a`: "Missing header-field name for SetEnvIf",
		`SetEnvIf X "" a`: "Missing regular expression for SetEnvIf", `SetEnvIf X y ""`: "Missing envariable expression for SetEnvIf", "setenvifnocase X ( a": "SetEnvIfNoCase regex could not be compiled.",
		"SetEnvIfNoCase ^( y a": "SetEnvIfNoCaseHeader name regex could not be compiled.", "SetEnvIfExpr": "Missing expression for SetEnvIfExpr", "SetEnvIfExpr true": "Missing envariable expression for SetEnvIfExpr",
		"SetEnvIfExpr nonsense a":                 `Could not parse expression "nonsense": syntax error, unexpected $end, expecting '('`,
		`SetEnvIfExpr "%{NOPE} == 'a'" a`:         `Could not parse expression "%{NOPE} == 'a'": Variable 'NOPE' does not exist`,
		`SetEnvIfExpr "%{SSL_PROTOCOL} == 'a'" a`: `Could not parse expression "%{SSL_PROTOCOL} == 'a'": Variable 'SSL_PROTOCOL' does not exist`,
		"BrowserMatch":                            "Missing regular expression for BrowserMatch", "BrowserMatch x": "Missing envariable expression for BrowserMatch", "BrowserMatchNoCase ( a": "BrowserMatchNoCase regex could not be compiled.",
		"SetEnv":     "SetEnv takes 1-2 arguments, an environment variable name and optional value to pass to CGI.",
		"SetEnv a b": "", "SetEnvIf X y a=b !c d": "",
	} {
		got := ""
		if _, err := bind(t, text); err != nil {
			got = err.(*apacheconf.Error).Msg
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	c, err := bind(t, "SetEnv A=B c\nSetEnv =b c\nPassEnv SETENVIF_NONE")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range c.Warnings {
		if w.Module == "env" {
			got = append(got, w.Msg)
		}
	}
	want := []string{"AH10032: Spurious usage of '=' in an environment variable name. 'SetEnv A B' expected instead?",
		"AH10032: Spurious usage of '=' in an environment variable name. 'SetEnv b ' expected instead?", "AH01506: PassEnv variable SETENVIF_NONE was undefined"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
}

func TestNothingToDo(t *testing.T) {
	if p := plan(t, "<Location />\n</Location>"); len(p.Steps(site.Early))+len(p.Steps(site.Parse))+len(p.Steps(site.Fixup)) > 0 {
		t.Error("steps without directives")
	}
}

func TestNoAllocation(t *testing.T) {
	if poison.On || linear.Race {
		t.Skip("pools keep nothing")
	}
	p := plan(t, "SetEnvIf Request_URI ab A=1\nSetEnvIf X-E xaby B\nSetEnvIf Server_Addr ^10 C\nSetEnvIfExpr \"%{REQUEST_METHOD} == 'GET'\" D\nBrowserMatch MSIE E\nSetEnv F f")
	x := sample()
	run(t, p, x)
	if n := testing.AllocsPerRun(100, func() {
		x.Env.Reset()
		x.Arena.Reset()
		run(t, p, x)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestManyRules: of many rules those apply that match, in order, each with what the ones before it set, as if each
// were looked at for itself.
func TestManyRules(t *testing.T) {
	var conf strings.Builder
	for i := range 200 {
		fmt.Fprintf(&conf, "BrowserMatchNoCase bot%03d/[0-9] N%d\nSetEnvIf V no%03d N%d\n", i, i, i, i)
		switch i {
		case 50:
			conf.WriteString("SetEnvIf X-E x V=first-step\n")
		case 100:
			conf.WriteString("BrowserMatch ^curl A\nSetEnvIf V first-(.*) B=$1 V=second-step\nSetEnvIf V second C\n")
		case 150:
			conf.WriteString("SetEnvIfExpr \"%{REQUEST_METHOD} == 'GET'\" D\nSetEnvIf V second-(.)tep E=$1 !V\nSetEnvIf Request_URI %61 F\n")
		case 199:
			conf.WriteString("SetEnvIf V ^$ G\nBrowserMatch (bot000|bot001|url) H\n")
		}
	}
	x := sample()
	run(t, plan(t, conf.String()), x)
	var got []string
	for i := range x.Env.Len() {
		n, v := x.Env.At(i)
		got = append(got, n+"="+v)
	}
	// C is not set: it looks at the V from before, as httpd's does
	if g := strings.Join(got, " "); g != "A=1 B=step D=1 E=s F=1 G=1 H=1" {
		t.Error(g)
	}
}

// TestRulesThatCannotMatch: they cost next to nothing, and less by far than those that are looked at.
func TestRulesThatCannotMatch(t *testing.T) {
	input := func(n int) *site.Plan {
		var conf strings.Builder
		for i := range n {
			fmt.Fprintf(&conf, "BrowserMatchNoCase bot%04d/[0-9] N\n", i)
		}
		return plan(t, conf.String())
	}
	x := sample()
	linear.CheckWithin(t, 8, 100, input, func(p *site.Plan) {
		for range 20 {
			run(t, p, x)
		}
	})
}

// TestListsAreShared: virtual hosts without rules of their own have the main server's, made once.
func TestListsAreShared(t *testing.T) {
	c, err := bind(t, "SetEnvIf X-E a A\n<VirtualHost *>\n</VirtualHost>\n<VirtualHost *>\nSetEnvIf X-E b B\n</VirtualHost>")
	if err != nil {
		t.Fatal(err)
	}
	s := &lists{of: map[*directive.Scope]*list{}}
	if s.server([]*directive.Scope{c.Main, c.VHosts[0]}) != s.server([]*directive.Scope{c.Main}) {
		t.Error("another list for the same rules")
	}
	if l := s.server([]*directive.Scope{c.Main, c.VHosts[1]}); len(l.rules) != 2 {
		t.Errorf("%d rules", len(l.rules))
	}
}
