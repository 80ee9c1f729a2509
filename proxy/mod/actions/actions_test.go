package actions

import (
	"context"
	"strconv"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mime"
	"balancerd/proxy/mod/static"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "mime actions"

// tells is a handler that says what it is asked for: it stands for what an action's path leads to.
func tells() site.Module {
	serve := exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
		text := x.Req.Method + " " + x.Req.Path + "?" + x.Req.Query
		if x.Prev != nil {
			text += " for " + x.Prev.LastPath + " by " + x.Env.Value("REDIRECT_HANDLER")
		}
		x.Res.Status = 200
		x.Res.Text(text)
		return nil
	})
	return site.Module{Name: "tells", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("tells", serve)
			return nil
		}, nil
	}}
}

func modules() []site.Module {
	return []site.Module{core.Module(), mime.Module(), static.Module(), tells(), Module()}
}

// TestActions holds what is served against what httpd answered with the same lines.
func TestActions(t *testing.T) {
	root := sitetest.Tree(t, "a.php=a", "b.foo=b", "c.bar=c", "d/a.php=d", "e/x.txt=e", "plain.txt=plain", "sp ace.php=s")
	r := sitetest.New(t, preload, sitetest.Files(t, root)+`AddType application/x-php .php
AddType "application/x-foo; q=1" .foo
AddHandler my-bar .bar
Action application/x-php /act/php virtual
Action application/x-foo /act/foo
Action my-bar /act/bar VIRTUAL
Action named /act/named
Action tells /act/never
<Directory `+root+`/d>
Action application/x-php /act/d virtual
</Directory>
<Location /e>
SetHandler named
</Location>
<Location /act>
SetHandler tells
</Location>
<Location /s>
Script PUT /act/put
Script GET /act/get
</Location>
<Location /loop>
Script POST /loop/again
</Location>
<Location /both>
SetHandler named-too
Action named-too /both/again virtual
Script POST /both/script
</Location>
`, modules()...)
	for _, c := range []struct{ request, want string }{
		{"GET /a.php", "200 GET /act/php/a.php? for /a.php by application/x-php"},
		{"GET /a.php/x%20y?q=1", "200 GET /act/php/a.php/x y?q=1 for /a.php/x y by application/x-php"},
		{"POST /sp%20ace.php", "200 POST /act/php/sp ace.php? for /sp ace.php by application/x-php"},
		{"GET /none.php", "200 GET /act/php/none.php? for /none.php by application/x-php"},
		{"GET /b.foo", "200 GET /act/foo/b.foo? for /b.foo by application/x-foo"},
		{"GET /none.foo", "404"},
		{"GET /c.bar", "200 GET /act/bar/c.bar? for /c.bar by my-bar"},
		{"GET /none.bar", "200 GET /act/bar/none.bar? for /none.bar by my-bar"},
		{"GET /d/a.php", "200 GET /act/d/d/a.php? for /d/a.php by application/x-php"},
		{"GET /e/x.txt", "200 GET /act/named/e/x.txt? for /e/x.txt by named"},
		{"GET /e/none", "404"},
		{"GET /plain.txt", "200 plain"},
		{"GET /s/x", "404"},
		{"GET /s/x?q", "200 GET /act/get/s/x?q for /s/x by "},
		{"HEAD /s/x?q", "200 HEAD /act/get/s/x?q for /s/x by "},
		{"PUT /s/x", "200 PUT /act/put/s/x? for /s/x by "},
		{"POST /loop/x", "404"},
		{"POST /both/x", "404"},
		{"GET /both/x", "500"},
	} {
		x := r.Get(c.request + " HTTP/1.1")
		got := strconv.Itoa(x.Res.Status)
		if x.Res.Status == 200 {
			got += " " + sitetest.Body(x)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s\n%s", c.request, got, c.want, r.Log.Take())
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ conf, want string }{
		{"Action a /b c", "unrecognized option 'c'"},
		{"Action a", "Action takes two or three arguments, a media type followed by a script name"},
		{"Script TRACE /x", "TRACE not allowed for Script"},
		{"Script GET", "Script takes two arguments, a method followed by a script name"},
		{"Action a /b VirtuaL", ""},
	} {
		if got := sitetest.Refused(preload, c.conf, modules()...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.want)
		}
	}
}
