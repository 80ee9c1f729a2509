package core_test

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
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// marks is a module for tests: "ServerPath WORD" is noted in its scope, and each request is answered
// with the words of all scopes in force, in merging order.
func marks() site.Module {
	key := directive.NewKey("marks", func(outer, inner []string) []string { return append(append([]string(nil), outer...), inner...) })
	note := func(s *directive.Scope, a directive.Args) error {
		*key.In(s) = append(*key.In(s), a.Words...)
		return nil
	}
	return site.Module{Name: "marks", Table: directive.Table{{Name: "SetEnv", Set: note}},
		Open: func(*directive.Config, *site.Site) (site.Builder, error) {
			return func(chain []*directive.Scope, p *site.Plan) error {
				said := strings.Join(key.Merged(chain...), " ")
				p.Add(site.Translate, "marks", func(_ context.Context, x *exchange.Exchange) error {
					if strings.HasPrefix(x.Req.Path, "/proxied") {
						x.Filename, x.Handler = "proxy:http://member"+x.Req.Path, "marks"
						return exchange.Stop
					}
					return nil
				})
				h := exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
					if strings.HasSuffix(x.Req.Path, "/fail") {
						return exchange.Status(404)
					}
					x.Res.Status = 200
					x.Res.Text(said)
					return nil
				})
				p.Handler = h
				p.HandlerFor("marks", h)
				return nil
			}, nil
		}}
}

func build(t *testing.T, text string) *site.Site {
	t.Helper()
	root := t.TempDir()
	os.MkdirAll(root+"/docs", 0o755)
	name := filepath.Join(root, "httpd.conf")
	os.WriteFile(name, []byte("ServerName main.example\nListen 127.0.0.1:80\nLoadModule env_module x\nLoadModule proxy_module x\n"+text), 0o644)
	tree, err := apacheconf.ParseFile(name, apacheconf.Options{ServerRoot: root, Modules: directive.Catalog{}})
	if err != nil {
		t.Fatal(err)
	}
	mods := []site.Module{core.Module(), mpm.Module(), marks()}
	c, err := directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := site.Build(c, mods, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type nobody struct{}

func (nobody) Interim(int, string, *exchange.Header) error { return nil }
func (nobody) Continue(string, *exchange.Header) error     { return nil }

func ask(s *site.Site, host, target string) *exchange.Exchange {
	x := &exchange.Exchange{Conn: &exchange.Conn{Local: netip.MustParseAddrPort("127.0.0.1:80"), RemoteIP: "127.0.0.1"}, Front: nobody{}}
	path, query, has := strings.Cut(target, "?")
	x.Req = exchange.Request{Method: "GET", Line: "GET " + target + " HTTP/1.1", Target: target, Major: 1, Minor: 1, Authority: host, Host: host, RawPath: path, Query: query, HasQuery: has}
	s.Serve(context.Background(), x)
	return x
}

func body(x *exchange.Exchange) string {
	if x.Res.Body == nil {
		return ""
	}
	return string(x.Res.Body.Buffered())
}

func TestSectionsMergeInHTTPDsOrder(t *testing.T) {
	s := build(t, `
SetEnv main x
<Location /proxied/b>
SetEnv loc-b x
</Location>
<If "true">
SetEnv if-main x
</If>
<Proxy http://member/*>
SetEnv wild x
</Proxy>
<VirtualHost *:80>
ServerName v.example
SetEnv vhost x
<Directory />
SetEnv never x
</Directory>
<If "-n %{QUERY_STRING}">
SetEnv if-query x
</If>
<ElseIf "true">
SetEnv elseif x
</ElseIf>
<Else>
SetEnv else x
</Else>
<Location /proxied>
SetEnv loc x
<If "true">
SetEnv nested x
</If>
</Location>
<ProxyMatch "^http:.*/b">
SetEnv match x
</ProxyMatch>
</VirtualHost>
`)
	for _, c := range []struct{ path, want string }{
		{"/proxied/b", "main x vhost x wild x match x loc-b x loc x if-main x elseif x nested x"},
		{"/proxied/c?q", "main x vhost x wild x loc x if-main x if-query x nested x"},
		{"/other", "main x vhost x if-main x elseif x"},
		{"//proxied//x/../c", "main x vhost x wild x loc x if-main x elseif x nested x"},
	} {
		if got := body(ask(s, "v.example", c.path)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.path, got, c.want)
		}
	}
}

func TestHosts(t *testing.T) {
	s := build(t, `
<VirtualHost *:80>
ServerName hidden.example
SetEnv hidden x
</VirtualHost>
<VirtualHost 127.0.0.1:80>
ServerName first.example
ServerAlias *.example ?.short
SetEnv first x
</VirtualHost>
<VirtualHost 127.0.0.1>
ServerName anyport.example
SetEnv any x
</VirtualHost>
<VirtualHost 127.0.0.1:80>
ServerName exact.example
ServerAlias other.test
StrictHostCheck On
SetEnv second x
</VirtualHost>
`)
	for _, c := range []struct{ host, want string }{
		{"first.example", "first x"}, {"exact.example", "first x"}, {"other.test", "second x"}, {"hidden.example", "first x"},
		{"a.short", "first x"}, {"ab.short", "first x"}, {"", "first x"}, {"nobody.test", "first x"},
	} {
		if got := body(ask(s, c.host, "/")); got != c.want {
			t.Errorf("%q is served by %q, want %q", c.host, got, c.want)
		}
	}
}

// TestAddresses: how the words of <VirtualHost> are read, and in which order -S lists them.
func TestAddresses(t *testing.T) {
	var vhosts strings.Builder
	for _, a := range []string{"127.0.0.1:80", "127.0.0.1:80 127.0.0.1:81", "*:81", "*", "[::1]:80", "127.0.0.2", "127.0.0.3:81 127.0.0.4:*", "\"\" 127.0.0.1:80"} {
		vhosts.WriteString("<VirtualHost " + a + ">\nServerName x\n</VirtualHost>\n")
	}
	var got []string
	for _, g := range build(t, vhosts.String()).Groups() {
		got = append(got, fmt.Sprintf("%v:%d %d", g.Address.IP, g.Address.Port, len(g.Hosts)))
	}
	want := "::1:80 1, 127.0.0.4:0 1, 127.0.0.3:81 1, 127.0.0.2:0 1, 127.0.0.1:81 1, 127.0.0.1:80 3, invalid IP:81 1, invalid IP:0 1"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	const invalid, missing = "The address or port is invalid", "Missing address for VirtualHost"
	for word, want := range map[string]string{":80": invalid, "80": missing, "0": invalid, "127.0.0.1:0": invalid, "127.0.0.1:65536": invalid, "[::1": invalid, "[x]:80": invalid, ":*": missing,
		"[::1]": "", "::1:80": "", "*:*": ""} {
		if got := sitetest.Refused("", "<VirtualHost "+word+">\n</VirtualHost>", core.Module()); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
	if got, want := sitetest.Refused("", "LogLevel proxy:", core.Module()), "Module specifier 'proxy' must be followed by a log level keyword"; got != want {
		t.Error(got)
	}
}

func TestErrorDocuments(t *testing.T) {
	s := build(t, `
ErrorDocument 404 "nothing at %{REQUEST_URI}"
<Location /path>
ErrorDocument 404 /proxied/page
</Location>
<Location /away>
ErrorDocument 404 http://else.example/sorry
</Location>
<Location /word>
ErrorDocument 404 sorry:gone
</Location>
<Location /own>
ErrorDocument 404 default
</Location>
<Location /proxied>
SetEnv page x
</Location>
`)
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/x/fail", 404, "nothing at /x/fail"},
		{"/path/fail", 404, "page x"},
		{"/away/fail", 302, "http://else.example/sorry"},
		{"/word/fail", 302, `href="sorry:gone"`}, // recorded from httpd
		{"/own/fail", 404, "<p>The requested URL was not found on this server.</p>"},
		{"/%zz", 400, "<p>Your browser sent a request that this server could not understand.<br />"},
		{"/a%2fb", 404, "nothing at /a/b"},
	} {
		x := ask(s, "main.example", c.path)
		if x.Res.Status != c.status || !strings.Contains(body(x), c.want) {
			t.Errorf("%s: %d %q, want %d %q", c.path, x.Res.Status, body(x), c.status, c.want)
		}
	}
	if x := ask(s, "main.example", "/path/fail"); x.Env.Value("REDIRECT_REQUEST_METHOD") != "GET" || x.Env.Value("REDIRECT_STATUS") != "404" || x.Prev == nil {
		t.Errorf("variables after the redirect: %v", x.Env)
	}
}

func TestPlansAreBounded(t *testing.T) {
	var text strings.Builder
	for _, c := range "abcdefghijklmnopqrst" {
		text.WriteString("<LocationMatch " + string(c) + ">\nSetEnv " + string(c) + " x\n</LocationMatch>\n")
	}
	s := build(t, text.String())
	for i := range 3000 {
		path := "/"
		for j, c := range "abcdefghijklmnopqrst" {
			if i>>j&1 == 1 {
				path += string(c)
			}
		}
		x := ask(s, "main.example", path)
		if got, want := strings.Count(body(x), " x"), len(path)-1; got != want {
			t.Fatalf("%s meets %d sections, want %d", path, got, want)
		}
	}
}

func TestServingAllocatesNothing(t *testing.T) {
	s := build(t, "<Location /proxied>\nSetEnv a b\n</Location>\n<VirtualHost *:80>\nServerName v.example\nServerAlias *.v.example\n</VirtualHost>\n")
	x := &exchange.Exchange{Conn: &exchange.Conn{Local: netip.MustParseAddrPort("127.0.0.1:80"), RemoteIP: "127.0.0.1"}}
	n := testing.AllocsPerRun(200, func() {
		x.Reset()
		x.Req.Method, x.Req.Host, x.Req.RawPath, x.Req.Target = "GET", "a.v.example", "/other", "/other"
		s.Serve(context.Background(), x)
	})
	if n > 3 { // the test's own handler makes a body
		t.Errorf("%v allocations an exchange", n)
	}
}

func TestSettingsReachTheServer(t *testing.T) {
	s := build(t, "Timeout 7\nKeepAliveTimeout +500ms\nAllowEncodedSlashes On\nLimitRequestLine 100\nLogLevel info proxy:debug\n<VirtualHost *:80>\nServerName v:81\nTimeout 3\nLogLevel proxy:crit\n</VirtualHost>\n")
	m, v := s.Hosts[0].Server, s.Hosts[1].Server
	if m.Timeout.Seconds() != 7 || m.KeepAliveTimeout.Milliseconds() != 500 || m.EncodedSlashes != exchange.SlashesOn || m.LimitLine != 100 {
		t.Errorf("main server: %+v", m)
	}
	if v.Timeout.Seconds() != 3 || v.EncodedSlashes != exchange.SlashesOff || v.LimitLine != 100 || v.Name != "v" || v.Port != 81 {
		t.Errorf("virtual host: %+v", v)
	}
	if m.Levels.Of("proxy") != exchange.Debug || m.Levels.Of("core") != exchange.Info || v.Levels.Of("proxy") != exchange.Crit || v.Levels.Of("core") != exchange.Info {
		t.Errorf("levels: %+v %+v", m.Levels, v.Levels)
	}
	if twins := build(t, "<VirtualHost *:80>\n</VirtualHost>\n<VirtualHost *:80>\n</VirtualHost>\n").Hosts; twins[1].Server.ID == twins[2].Server.ID {
		t.Errorf("two hosts are both called %s", twins[1].Server.ID)
	}
	if len(s.Listeners) != 1 || s.Listeners[0].Address != "127.0.0.1:80" || m.ID == v.ID {
		t.Errorf("listeners %+v, ids %s %s", s.Listeners, m.ID, v.ID)
	}
}

// Recorded from httpd: SetHandler's word is an expression, and counts in lower case unless it begins with a socket's path.
func TestSetHandler(t *testing.T) {
	for word, want := range map[string]string{
		"Server-Status":                     "server-status",
		"Proxy:Fcgi://H/Pre":                "proxy:fcgi://h/pre",
		"proxy:unix:/Run/S|Fcgi://H/Pre":    "proxy:unix:/Run/S|Fcgi://H/Pre",
		"proxy:Unix:/Run/S|fcgi://h":        "proxy:unix:/run/s|fcgi://h",
		"proxy:fcgi://%{SERVER_NAME}/X":     "proxy:fcgi://main.example/x",
		"proxy:unix:/Run/%{REQUEST_METHOD}": "proxy:unix:/Run/GET",
		"expr=%{REQUEST_METHOD}":            "expr=get",
		"None":                              "",
		"%{tolower:NONE}":                   "",
	} {
		x := ask(build(t, "<Location />\nSetHandler \""+word+"\"\n</Location>\n"), "main.example", "/x")
		if x.Handler != want {
			t.Errorf("%s: %q, want %q", word, x.Handler, want)
		}
	}
	if got, want := sitetest.Refused("", "SetHandler %{nofunc:x}", core.Module()), "Can't parse expression : Function 'nofunc' does not exist"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
