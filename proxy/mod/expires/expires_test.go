package expires

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/mod/alias"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mime"
	"balancerd/proxy/mod/static"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "expires mime alias"

func modules(answer func(string) sitetest.Answer) []site.Module {
	return []site.Module{core.Module(), sitetest.Answering(answer), Module()}
}

// expiry is Cache-Control, and how long after the request Expires is.
func expiry(t *testing.T, r *sitetest.Rig, request string) string {
	t.Helper()
	x := r.Get(request)
	sitetest.Body(x)
	at := x.Res.Header.Get("Expires")
	if when, err := http.ParseTime(at); err == nil {
		at = when.Sub(x.Start.Truncate(time.Second)).String()
	}
	return strings.TrimSpace(x.Res.Header.Joined("Cache-Control") + " " + at)
}

// TestCodes: what httpd 2.4.71 made of codes.
func TestCodes(t *testing.T) {
	for text, want := range map[string]code{
		"A0": {}, "A3600": {false, 3600}, "M60": {true, 60}, "Afoo": {}, "A60 seconds": {false, 60}, "A-5": {false, -5}, "Access plus 1 day": {}, "Modification plus 1 day": {true, 0},
		"access": {}, "now plus 5 seconds": {false, 5}, "access plus 1 month 1 week 1 day 1 hour 1 minute 1 second": {false, 2592000 + 604800 + 86400 + 3600 + 60 + 1},
		"access 2 years": {false, 2 * 365 * 86400}, "a p 3 d": {false, 3 * 86400}, "m 007 s": {true, 7}, "access plus 90 minutes": {false, 5400}, "now plus 12 weeks": {false, 12 * 604800},
		"NOW PLUS 1 HOUR": {false, 3600}, "access plus 1s": {}, "access plus 100 years": {false, -1141367296}, "access plus 3x s": {false, 3}, "a plus 4294967297 s": {false, 1},
	} {
		got, problem := parseCode(text)
		if text == "access plus 1s" {
			if problem != "missing <type>" {
				t.Error(text, problem)
			}
			continue
		}
		if got != want || problem != "" {
			t.Errorf("%q: %v %s", text, got, problem)
		}
	}
}

// TestPlaces: which code holds for an answer.
func TestPlaces(t *testing.T) {
	fields := map[string]string{"/html": "Content-Type: text/html; charset=utf-8", "/css": "Content-Type: text/css", "/png": "Content-Type: image/png", "/svg": "Content-Type: Image/SVG+XML", "/gif": "Content-Type: image/gif",
		"/json": "Content-Type: application/json", "/private": "Content-Type: text/html|Cache-Control: private", "/own": "Content-Type: text/html|Expires: 0", "/blank": "Content-Type: text/html |X: y"}
	r := sitetest.New(t, preload, `
ExpiresActive On
ExpiresByType text/html A60
ExpiresByType text/css A30
ExpiresByType image/* A20
ExpiresByType image/gif M600
ExpiresDefault A10
<Location /off>
ExpiresActive Off
</Location>
<Location /in>
ExpiresByType Text/CSS A5
</Location>
`, modules(func(path string) sitetest.Answer {
		a := sitetest.Answer{Body: "x", Fields: fields[path[strings.LastIndexByte(path, '/'):]]}
		switch path {
		case "/e404":
			a.Status = 404
		case "/c304":
			a.Status = 304
		}
		return a
	})...)
	for path, want := range map[string]string{
		"/html": "max-age=60 1m0s", "/css": "max-age=30 30s", "/png": "max-age=20 20s", "/svg": "max-age=20 20s", "/gif": "", "/json": "max-age=10 10s", "/none": "max-age=10 10s", "/blank": "max-age=60 1m0s",
		"/private": "private, max-age=60 1m0s", "/own": "0", "/e404": "", "/c304": "max-age=10 10s", "/off/html": "", "/in/css": "max-age=5 5s", "/in/html": "max-age=60 1m0s", "/in/png": "max-age=10 10s",
	} {
		if got := expiry(t, r, "GET "+path+" HTTP/1.1"); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// TestFiles: files are dated by their last change, too, and own pages of redirects by their type.
func TestFiles(t *testing.T) {
	root := sitetest.Tree(t, "old.html=x", "new.css=x")
	os.Chtimes(root+"/old.html", time.Unix(1700000000, 0), time.Unix(1700000000, 0))
	now := time.Now()
	os.Chtimes(root+"/new.css", now, now)
	r := sitetest.New(t, preload, sitetest.Files(t, root)+`
AddType text/css css
Redirect /gone http://else/
ExpiresActive On
ExpiresByType text/html "modification plus 1 week"
ExpiresByType text/css "modification plus 1 week"
ExpiresDefault A10
<Location /gone>
ExpiresByType text/html A5
</Location>
`, core.Module(), Module(), alias.Module(), mime.Module(), static.Module())
	if got := expiry(t, r, "GET /old.html HTTP/1.1"); got != "max-age=0 0s" {
		t.Error("an old file:", got)
	}
	if got := expiry(t, r, "GET /new.css HTTP/1.1"); !strings.HasPrefix(got, "max-age=6047") && !strings.HasPrefix(got, "max-age=604800") {
		t.Error("a new file:", got)
	}
	if got := expiry(t, r, "GET /gone HTTP/1.1"); got != "max-age=5 5s" {
		t.Error("a redirect:", got)
	}
	if got := expiry(t, r, "GET /nothing HTTP/1.1"); got != "" {
		t.Error("a page of an error:", got)
	}
}

// TestWords: httpd's own words.
func TestWords(t *testing.T) {
	for conf, want := range map[string]string{
		`ExpiresByType text "access plus 1 day"`:     "Invalid mimetype: should contain a slash",
		`ExpiresByType text/html foo`:                "'ExpiresByType text/html foo': bad expires code, unrecognised <base> 'foo'",
		`ExpiresByType text/html`:                    "ExpiresByType takes two arguments, a MIME type followed by an expiry date code",
		`ExpiresDefault "access plus x days"`:        "'ExpiresDefault access plus x days': bad expires code, numeric value expected <num> 'x'",
		`ExpiresDefault "access plus 1"`:             "'ExpiresDefault access plus 1': bad expires code, missing <type>",
		`ExpiresDefault "access plus 1 parsec"`:      "'ExpiresDefault access plus 1 parsec': bad expires code, unrecognised <type>'parsec'",
		`ExpiresDefault "access plus 1 m"`:           "'ExpiresDefault access plus 1 m': bad expires code, unrecognised <type>'m'",
		`ExpiresDefault "modification minus 3 days"`: "'ExpiresDefault modification minus 3 days': bad expires code, numeric value expected <num> 'minus'",
		`ExpiresActive maybe`:                        "ExpiresActive must be On or Off",
	} {
		if got := sitetest.Refused(preload, conf, modules(nil)...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}
