package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// What httpd 2.4.71's RewriteRules make of a request that ProxyPass with mapping=encoded has mapped before them: they see
// the member's URL, and set SCRIPT_URL and SCRIPT_URI.
func TestRulesSeeWhatIsMapped(t *testing.T) {
	p := newInstance(t)
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RequestURI, " ", r.Header.Get("X-U"), " ", strings.HasPrefix(r.Header.Get("X-I"), "http://127.0.0.1"), " ", r.Header.Get("X-A"))
	}))
	p.conf(`LoadModule rewrite_module x
LoadModule headers_module x
RewriteEngine On
RewriteRule .* - [E=A:%{REQUEST_URI}:$0]
RewriteRule ^/h/f - [F]
RewriteRule ^proxy:.*/g$ - [G]
RewriteRule ^(proxy:.*)/n/(.*) http://{back}/n2/$2 [P]
RewriteRule ^(proxy:.*)/p/(.*) http://else.invalid/ [R]
RewriteRule ^/h/q http://else.invalid/ [R]
ProxyPass /h http://{back} mapping=encoded
RequestHeader set X-U %{SCRIPT_URL}e
RequestHeader set X-I %{SCRIPT_URI}e
RequestHeader set X-A %{A}e
`)
	p.start()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]string{
		"/h/x":        "200 /x /h/x true /h/x:proxy:http://{back}/x",
		"/h/x%20y?q":  "200 /x%20y?q /h/x%20y true /h/x%20y:proxy:http://{back}/x%20y",
		"/h/f":        "200 /f /h/f true /h/f:proxy:http://{back}/f",
		"/h/n/1":      "200 /n2/1 /h/n/1 true /h/n/1:proxy:http://{back}/n/1",
		"/h/q":        "200 /q /h/q true /h/q:proxy:http://{back}/q",
		"/h/g":        "410",
		"/h/p/1":      "302",
		"/other/h%20": "404",
	} {
		r, err := client.Get(p.url(path))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		got := fmt.Sprint(r.StatusCode)
		if r.StatusCode == 200 {
			got += " " + string(body)
		}
		if want = strings.ReplaceAll(want, "{back}", p.back); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// Which module says of a handler's URL without // that it can't be read (recorded of httpd 2.4.71).
func TestHandlerWithoutSlashes(t *testing.T) {
	p := newInstance(t)
	modules, lines := "", map[string]string{
		"ajp": "AH00867: error parsing URL host", "fcgi": "AH01059: error parsing URL host", "h2c": "AH03350: error parsing URL host", "balancer": "AH01157: error parsing URL host",
		"http": "AH01083: error parsing URL http:host",
	}
	for scheme := range lines {
		modules += "<Location /" + scheme + ">\nSetHandler proxy:" + scheme + ":host\n</Location>\n"
	}
	p.conf(forwardModules + modules)
	p.start()
	for scheme, line := range lines {
		if status, _ := p.get("/" + scheme); status != 400 {
			t.Errorf("%s: %d", scheme, status)
		}
		if log := p.read("error.log"); !strings.Contains(log, line) || !strings.Contains(log, ": Malformed URL") {
			t.Errorf("%s: no line %s in %s", scheme, line, log)
		}
	}
}

// SetHandler and AddHandler go before ScriptAlias, and which aliases tell where they lead to (recorded of httpd 2.4.71).
func TestHandlersOfAliases(t *testing.T) {
	p := newInstance(t)
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-C")) }))
	folder := p.root + "/al"
	os.Mkdir(folder, 0o755)
	p.conf(strings.ReplaceAll(`DocumentRoot {root}
LoadModule alias_module x
LoadModule mime_module x
LoadModule headers_module x
ScriptAlias /cgi FOLDER
AliasMatch ^/m/(.*) FOLDER/$1
Alias /al FOLDER
AddHandler proxy:http://{back} .added
<FilesMatch "\.set$">
SetHandler proxy:http://{back}
</FilesMatch>
<Location /loc>
AliasPreservePath On
Alias FOLDER
</Location>
RequestHeader set X-C "expr=%{CONTEXT_PREFIX} %{CONTEXT_DOCUMENT_ROOT}"
<Directory FOLDER>
Require all granted
</Directory>
`, "FOLDER", folder))
	for _, name := range []string{"x.added", "x.set", "x.txt"} {
		p.write("al/"+name, "source")
	}
	p.start()
	for path, want := range map[string]string{
		"/cgi/x.added": "200 /cgi " + folder, "/cgi/x.set": "200 /cgi " + folder, "/cgi/x.txt": "403", "/al/x.set": "200 /al " + folder,
		"/m/x.set": "200 " + p.root, "/loc/x.set": "200 /loc " + folder,
	} {
		status, body := p.get(path)
		if got := fmt.Sprint(status, " ", body); got != want && !(status == 403 && want == "403") {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
