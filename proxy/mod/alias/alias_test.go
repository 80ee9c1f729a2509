package alias

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

func modules() []site.Module { return []site.Module{core.Module(), member(), Module(), named()} }

// named answers with the name of the file that a path was mapped to.
func named() site.Module {
	return site.Module{Name: "named", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.Handler = exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
				if x.Filename == "" {
					return exchange.Status(404)
				}
				x.Res.Status = 200
				x.Res.Text(x.Filename)
				return nil
			})
			return nil
		}, nil
	}}
}

func TestRefused(t *testing.T) {
	tests := []struct{ conf, server, location string }{ // what is refused outside and inside a <Location>
		{"Redirect /a", "URL to redirect to is missing", ""},
		{"Redirect /a b", "Redirect to non-URL", "Redirect to non-URL"},
		{"Redirect x /a /b", "Redirect: invalid first argument (of three)", "Redirect: invalid first argument (of three)"},
		{"Redirect gone /a /b", "Redirect URL not valid for this status", "Redirect URL not valid for this status"},
		{"Redirect 99 /a /b", "Redirect URL not valid for this status", "Redirect URL not valid for this status"},
		{"Redirect 404 /a", "", ""},
		{"Redirect gone", "", ""},
		{"Redirect permanent /a", "URL to redirect to is missing", ""},
		{"Redirect 300 /a", "URL to redirect to is missing", ""},
		{"Redirect 302 /a http://x/", "", ""},
		{"Redirect /a /b /c /d", "Redirect takes one, two or three arguments, an optional status, then document to be redirected and destination URL",
			"Redirect takes one, two or three arguments, an optional status, then document to be redirected and destination URL"},
		{"RedirectTemp a b", "Redirect to non-URL", "Redirect to non-URL"},
		{"RedirectPermanent /a", "RedirectPermanent takes two arguments, a document to be redirected, then the destination URL",
			"RedirectPermanent takes two arguments, a document to be redirected, then the destination URL"},
		{"RedirectMatch ( http://x/", "Regular expression could not be compiled.", "Regular expression could not be compiled."},
		{"RedirectMatch ^/a$ /b", "", ""},
		{"RedirectMatch 302 ^/a b", "", ""},
		{"RedirectMatch gone /x", "", ""},
		{"RedirectRelative x", "RedirectRelative must be On or Off", "RedirectRelative must be On or Off"},
		{"Alias", "Alias takes 1-2 arguments, a fakename and a realname, or a realname in a Location",
			"Alias takes 1-2 arguments, a fakename and a realname, or a realname in a Location"},
		{"Alias /a", "Alias must have two arguments when used globally", ""},
		{"Alias /a /b", "", "Alias cannot occur within directory context"},
		{"ScriptAlias /a /b", "", "ScriptAlias cannot occur within directory context"},
		{"AliasMatch ( /x", "Regular expression could not be compiled.", "AliasMatch not allowed in <Location> context"},
		{"Redirect %{FOO}", "URL to redirect to is missing", "Cannot parse redirect expression '%{FOO}': Variable 'FOO' does not exist"},
		{"Alias %{FOO}", "Alias must have two arguments when used globally", "Cannot parse alias expression '%{FOO}': Variable 'FOO' does not exist"},
	}
	for _, c := range tests {
		if got := refused(c.conf); got != c.server {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.server)
		}
		if got := refused("<Location /x>\n" + c.conf + "\n</Location>"); got != c.location {
			t.Errorf("%s in a section:\n got %s\nwant %s", c.conf, got, c.location)
		}
	}
	for section, want := range map[string]string{"Directory /x": "Alias cannot occur within <Directory> section", "Files x": "Alias cannot occur within <Files> section",
		"If true": "Alias cannot occur within <If> section", "LocationMatch ^/x": ""} {
		name, _, _ := strings.Cut(section, " ")
		if got := refused("<" + section + ">\nAlias /y\n</" + name + ">"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", section, got, want)
		}
	}
	// of several sections around, httpd names those of files before an <If> within
	if got := refused("<FilesMatch x>\n<If true>\nAlias /y\n</If>\n</FilesMatch>"); got != "Alias cannot occur within <FilesMatch> section" {
		t.Error(got)
	}
}

func TestOverlap(t *testing.T) {
	for conf, want := range map[string]string{
		"Alias /a /b\nAlias /a/c /d":       "AH00671: The Alias directive in test.conf at line 6 will probably never match because it overlaps an earlier Alias.",
		"AliasMatch ^/a /b\nAlias /a/c /d": "AH00671: The Alias directive in test.conf at line 6 will probably never match because it overlaps an earlier AliasMatch.",
		"ScriptAlias /a /b\nAlias /a/c /d": "AH00671: The Alias directive in test.conf at line 6 will probably never match because it overlaps an earlier ScriptAlias.",
		"Alias /a/c /b\nAlias /a /d":       "",
		"Alias /a /b\nAlias /ab /d":        "",
	} {
		c, err := sitetest.Bind(preload, conf, modules()...)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range c.Warnings {
			got += w.Msg
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// What httpd 2.4.71 answered to the same lines.
func TestRedirect(t *testing.T) {
	r := newRig(t, `
Redirect /proxied http://else.example/
Redirect permanent /old /new
Redirect 303 /other http://else.example/base
Redirect gone /gone
Redirect 599 /five
Redirect gone
RedirectMatch "^/pic/(.*)\.gif$" "/img/$1.png"
RedirectMatch ^/var(.*) https://%{SERVER_NAME}/n$1
RedirectMatch 410 ^/lost
RedirectTemp /tmp /t
Redirect /pre/ http://x/y/
Redirect /deep//er http://x/z
Redirect /own /target?own
Redirect /bad:x mailto:a
<Location /proxied/inside>
  Redirect 301 http://else.example/x
</Location>
<Location /proxied/expr>
  Redirect "https://%{HTTP_HOST}/%{REQUEST_METHOD} x?%{HTTP_HOST} y"
</Location>
<Location /proxied/list>
  Redirect /proxied/list/in http://x/l
  Redirect 303 /proxied/list/see /l2
  RedirectMatch 308 ^/proxied/list/m(.)$ /x$1
</Location>
<Location /proxied/rel>
  RedirectRelative On
  Redirect /new
</Location>
<Location /proxied/gone>
  Redirect gone
</Location>
<Location /proxied/missing>
  Redirect 404
</Location>
<Location /proxied/path>
  Redirect "x/y"
</Location>
<Location /proxied/a>
  Redirect 302 http://e1/
</Location>
<Location /proxied/a/b>
  Redirect 307 http://e2/
</Location>
`)
	tests := []struct {
		path     string
		status   int
		location string
	}{
		{"/proxied/x", 200, ""},
		{"/old", 301, "http://localhost/new"},
		{"/old/a%20b?q=1", 301, "http://localhost/new/a%20b?q=1"},
		{"/old/%C3%A9%25%3F", 301, "http://localhost/new/%c3%a9%25%3f"},
		{"/olde", 404, ""},
		{"/other/z", 303, "http://else.example/base/z"},
		{"/gone/x", 410, ""},
		{"/five", 500, ""},
		{"/lost/x", 410, ""},
		{"/pic/a.gif?x", 302, "http://localhost/img/a.png?x"},
		{"/var/y", 302, "https://%25%7bSERVER_NAME%7d/n/y"},
		{"/tmp/1", 302, "http://localhost/t/1"},
		{"/pre", 404, ""},
		{"/pre/", 302, "http://x/y/"},
		{"/pre/x", 302, "http://x/y/x"},
		{"/prex", 404, ""},
		{"/deep/er", 302, "http://x/z"},
		{"/deep//er/x", 302, "http://x/z/x"},
		{"/own?q", 302, "http://localhost/target?own"},
		{"/proxied/inside/a", 301, "http://else.example/x"},
		{"/proxied/expr/a", 302, "https://localhost/GET%20x?localhost y"},
		{"/proxied/list/in/x", 302, "http://x/l/x"},
		{"/proxied/list/see/q?w", 303, "http://localhost/l2/q?w"},
		{"/proxied/list/mZ", 308, "http://localhost/xZ"},
		{"/proxied/list/other", 200, ""},
		{"/proxied/rel/x?q", 302, "/new?q"},
		{"/proxied/gone", 410, ""},
		{"/proxied/missing", 404, ""},
		{"/proxied/path", 500, ""},
		{"/proxied/a/b", 307, "http://e2/"},
		{"/proxied/a/c", 302, "http://e1/"},
	}
	for _, c := range tests {
		x := r.Get("GET " + c.path + " HTTP/1.1")
		if x.Res.Status != c.status || answered(x, "Location") != c.location {
			t.Errorf("%s: %d %s, want %d %s", c.path, x.Res.Status, answered(x, "Location"), c.status, c.location)
		}
	}
	if log := r.Log.Take(); !strings.Contains(log, "[alias:error] AH00676: cannot redirect '/proxied/path' to 'x/y'; target is not a valid absoluteURI or abs_path") {
		t.Error(log)
	}
}

func TestVirtualHostsGoFirst(t *testing.T) {
	r := newRig(t, `
Redirect /a http://main/
Redirect /b http://main/b
Alias /f /main
<VirtualHost *:80>
  ServerName v.example:81
  UseCanonicalName On
  Redirect /a http://vhost/
  Redirect /b/c http://vhost/c
  Redirect /self /here
  Alias /f/g /vhost
</VirtualHost>
`)
	for path, want := range map[string]string{"/a/x": "http://vhost//x", "/b/c": "http://vhost/c", "/b/d": "http://main/b/d", "/self": "http://v.example:81/here"} {
		if x := r.Get("GET " + path + " HTTP/1.1"); answered(x, "Location") != want {
			t.Errorf("%s: %s, want %s", path, answered(x, "Location"), want)
		}
	}
	for path, want := range map[string]string{"/f/g/x": "/vhost/x", "/f/x": "/main/x"} {
		if got := body(r.Get("GET " + path + " HTTP/1.1")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestAlias(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "f.txt"), nil, 0o600)
	r := newRig(t, `
Alias /files `+dir+`
Alias /slash/ `+dir+`/
Alias /relative srv/docs
AliasMatch "^/am/(.*)$" `+dir+`/$1
AliasMatch "^/climb(.*)$" /srv/.$1
ScriptAlias /cgi /srv/cgi
<Location /whole>
  Alias `+dir+`/f.txt
</Location>
<Location /keep>
  AliasPreservePath On
  Alias `+dir+`
</Location>
<Location /expr>
  Alias `+dir+`/%{req:X}
</Location>
`)
	tests := []struct{ request, want string }{
		{"/files", "$"},
		{"/files/f.txt", "$/f.txt"},
		{"/filesf.txt", ""},
		{"/slash/f.txt", "$/f.txt"},
		{"/slash", ""},
		{"/relative/x", "/srv/docs/x"},
		{"/am/a/b", "$/a/b"},
		{"/climb./etc/passwd", "403"},
		{"/climbing", "/srv/.ing"},
		{"/whole/any", "$/f.txt"},
		{"/keep/f.txt", "$/f.txt"},
		{"/expr HTTP/1.1\nX: f.txt", "$/f.txt"},
		{"/cgi/x", "403"},
		{"/proxied", "member"},
	}
	for _, c := range tests {
		x := r.Get("GET " + c.request)
		got := strings.Replace(body(x), dir, "$", 1)
		switch x.Res.Status {
		case 404:
			got = ""
		case 403:
			got = "403"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.request, got, c.want)
		}
	}
}

// What httpd 2.4.71 made of targets of RedirectMatch.
func TestRewritten(t *testing.T) {
	for url, want := range map[string]string{
		"http://h:80/x": "http://h/x", "https://h:443/": "https://h/", "https://h:80/x": "https://h:80/x", "http://u:p@h/x y": "http://u:XXXXXXXX@h/x%20y",
		"http://u@h/": "http://u@h/", "http://[::1]:80/x": "http://%5b::1%5d/x", "http://[::1]:81/x": "http://%5b::1%5d:81/x", "//host/x": "//host/x",
		"http://h:x/y": "http://h", "http://h": "http://h", "http://h?q": "http://h?q", "http://h/a b?c d#e f": "http://h/a%20b?c d#e f",
		"/a b%20c?x#y": "/a%20b%2520c?x#y", "ftp://h:21/": "ftp://h/", "mailto:a@b": "mailto:a@b", "http:///x": "http:///x", "HTTP://H:80/": "HTTP://H/",
		"x/y": "x/y", "http://h:/x": "http://h/x", "http://h/%7b{}": "http://h/%257b%7b%7d", "foo+bar://h/x": "foo+bar://h/x", "http://:80/x": "http:///x",
		"http://@h/": "http://@h/", "https://h:0/x": "https://h/x", "http://h/é": "http://h/%c3%a9", "http://h:81:81/x": "http://h:81:81", "http://h:0080/x": "http://h/x", "https://h:81x/": "https://h:81x", "/p#f?g": "/p#f?g",
	} {
		if got := rewritten(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

// TestIfGoesFirst: a Redirect of an <If> is known before those of the server; a 304 names its target once.
func TestIfGoesFirst(t *testing.T) {
	r := newRig(t, `
Redirect 304 /same http://server/
Redirect / http://server/
<If "%{QUERY_STRING} == 'q'">
  Redirect 300 http://if/
</If>
<If "%{QUERY_STRING} == 'gone'">
  Redirect gone
</If>
`)
	for path, want := range map[string]string{"/x": "302 http://server/x", "/x?q": "300 http://if/?q", "/x?gone": "410 ", "/same/x": "304 http://server//x"} {
		x := r.Get("GET " + path + " HTTP/1.1")
		if got := strconv.Itoa(x.Res.Status) + " " + x.Res.Header.Get("Location") + x.Res.Always.Get("Location"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
