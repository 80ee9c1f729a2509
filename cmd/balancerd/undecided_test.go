package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// What makes each place's pattern give up: without its look-behind it would match, and with it goes back over so many
// a's in more ways than there is time for. With hope, it is decided at once.
const (
	hopeless = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaba"
	hope     = "aaa"
	slow     = "(a+)+(?:(?<=q)ba)?$"
)

// A pattern that gives up ends the request with 500 and a line in the log, wherever it stands and whatever
// it was to decide: what it guards stays closed.
func TestPatternsThatGiveUp(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	for _, d := range []string{"docs", "docs/folder", "docs/index"} {
		if err := os.Mkdir(p.root+"/"+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.conf(strings.NewReplacer("SLOW", slow, "HOPELESS", hopeless).Replace(`LoadModule setenvif_module x
LoadModule headers_module x
LoadModule alias_module x
LoadModule dir_module x
LoadModule log_config_module x
DocumentRoot {root}/docs
LogLevel info
<Directory {root}/docs>
Require all granted
</Directory>
<LocationMatch "^/deny/SLOW">
Require all denied
</LocationMatch>
<Location /grant>
Require all denied
</Location>
<LocationMatch "^/grant/SLOW">
Require all granted
</LocationMatch>
<LocationMatch "^/named/(?<n>SLOW)">
Require all denied
</LocationMatch>
<DirectoryMatch "/folder/SLOW">
Require all denied
</DirectoryMatch>
<FilesMatch "^file-SLOW">
Require all denied
</FilesMatch>
<ProxyMatch "/target/SLOW">
Require all denied
</ProxyMatch>
<If "%{REQUEST_URI} =~ m#^/if/SLOW#">
Require all denied
</If>
<If "! (%{REQUEST_URI} !~ m#^/else/SLOW#)">
Require all denied
</If>
SetEnvIf Request_URI "^/setenvif/SLOW" E
SetEnvIf "^X-SLOW" . E
SetEnvIfExpr "%{REQUEST_URI} =~ m#^/setenvifexpr/SLOW#" E
BrowserMatch "^bot-SLOW" E
<Location /section>
SetEnvIf Request_URI "/SLOW" E
</Location>
<Location /require>
Require expr %{REQUEST_URI} =~ m#/SLOW#
</Location>
<Location /not>
<RequireAll>
Require all granted
Require not expr %{REQUEST_URI} =~ m#/SLOW#
</RequireAll>
</Location>
<Location /edit>
Header edit X-V "^SLOW" z
</Location>
<Location /request>
RequestHeader edit X-V "^SLOW" z
</Location>
<Location /echo>
Header echo "^Y-SLOW"
</Location>
<Location /condition>
Header set X-C 1 "expr=%{REQUEST_URI} =~ m#^/condition/SLOW#"
</Location>
RedirectMatch "^/redirect/SLOW" http://elsewhere/
<Location /fixup>
RedirectMatch "^/fixup/SLOW" http://elsewhere/
</Location>
AliasMatch "^/alias/SLOW" {root}/docs/$1
ProxyPassMatch "^/pass/SLOW" http://{back}/$1
ProxyPassMatch "^/never/SLOW" !
ProxyPassMatch "^/early/SLOW" http://{back}/$1 mapping=encoded
<Location /lookup>
Require expr ! -U '/grant/HOPELESS'
</Location>
<Location /index>
DirectoryIndex /deny/HOPELESS /deny/aaa
</Location>
ProxyPass /deny http://{back}/deny
ProxyPass /folder !
ProxyPass /index !
ProxyPass /redirect !
ProxyPass /alias !
ProxyPassMatch ^/file- !
ProxyPass / http://{back}/
CustomLog access.log "%U %>s" "expr=%{REQUEST_URI} =~ m#^/logged/SLOW#"
`))
	p.member.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-V", r.Header.Get("X-V")) })
	p.start()
	for _, c := range []struct{ path, field, decided string }{
		{"/deny/", "", "403"}, {"/grant/", "", "200"}, {"/named/", "", "403"}, {"/folder/", "", "403"}, {"/file-", "", "403"}, {"/target/", "", "403"},
		{"/if/", "", "403"}, {"/else/", "", "403"}, {"/setenvif/", "", "200"}, {"/x", "X-", "200"}, {"/setenvifexpr/", "", "200"}, {"/x", "User-Agent: bot-", "200"}, {"/section/", "", "200"},
		{"/require/", "", "200"}, {"/not/", "", "403"}, {"/edit/", "X-V: ", "200"}, {"/request/", "X-V: ", "200"}, {"/echo/", "Y-", "200"}, {"/condition/", "", "200"},
		{"/redirect/", "", "302"}, {"/fixup/", "", "302"}, {"/alias/", "", "404"}, {"/pass/", "", "200"}, {"/never/", "", "404"}, {"/early/", "", "200"},
	} {
		before := p.read("error.log")
		if status := p.askHopeless(c.path, c.field, hopeless); status != "500" {
			t.Errorf("%s%s with a pattern that gives up: %s", c.path, c.field, status)
		}
		if log := strings.TrimPrefix(p.read("error.log"), before); !strings.Contains(log, "gave up") {
			t.Errorf("%s%s: the log says nothing of it: %q", c.path, c.field, log)
		}
		if status := p.askHopeless(c.path, c.field, hope); status != c.decided {
			t.Errorf("%s%s decided: %s, want %s", c.path, c.field, status, c.decided)
		}
	}
	for path, what := range map[string]string{"/lookup/": "a condition asks for it", "/index/": "it is an index document"} {
		if status := p.askHopeless(path, "", ""); status != "500" {
			t.Errorf("%s, where %s: %s", path, what, status)
		}
	}
	if status := p.askHopeless("/logged/", "", hopeless); status != "200" {
		t.Errorf("a log's condition gives up: %s", status)
	}
	p.until("a line for the request whose condition gave up", func() bool { return strings.Contains(p.read("access.log"), "/logged/"+hopeless+" 200") })
}

// askHopeless sends text as the end of the path, or of a field: of its name when there is no colon.
func (p *instance) askHopeless(path, field, text string) string {
	p.t.Helper()
	if field == "" {
		path += text
	}
	r, err := http.NewRequest("GET", p.url(path), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if name, value, ok := strings.Cut(field, ": "); ok {
		r.Header.Set(name, value+text)
	} else if field != "" {
		r.Header[name+text] = []string{"v"}
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	a.Body.Close()
	return a.Status[:3]
}
