package proxyhtml

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/filter"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "proxy_html xml2enc setenvif env"

const links = "ProxyHTMLLinks a href\nProxyHTMLLinks img src usemap\nProxyHTMLLinks form action\nProxyHTMLLinks script src\nProxyHTMLEvents onclick onload\n"

func modules(answer func(string) sitetest.Answer) []site.Module {
	mods := append([]site.Module{core.Module(), filter.Core()}, Modules()...)
	mods = append(mods, filter.Module(), sitetest.Answering(answer))
	return append(mods, setenvif.Modules()...)
}

func serving(t testing.TB, conf, contentType, body string, piece int) *sitetest.Rig {
	return sitetest.New(t, preload, links+conf+"\n", modules(func(string) sitetest.Answer {
		return sitetest.Answer{Fields: "Content-Type: " + contentType + "|Content-Length: " + fmt.Sprint(len(body)), Body: body, Piece: piece}
	})...)
}

// TestRules: what httpd 2.4.71 made of links, events and scripts, whatever pieces the page came in; markup that no rule
// is for stays as it was.
func TestRules(t *testing.T) {
	const on = "ProxyHTMLEnable On\n"
	for _, c := range []struct{ conf, page, want string }{
		{on + "ProxyHTMLURLMap /app /f", `<a href="/app/page?x=1&amp;y=2#frag" title="/app/">t &lt; /app</a>`, `<a href="/f/page?x=1&amp;y=2#frag" title="/app/">t &lt; /app</a>`},
		{on + "ProxyHTMLURLMap /app /f", `<A HREF=/app/u class=c  ID='x'>`, `<A HREF="/f/u" class=c  ID='x'>`},
		{on + "ProxyHTMLURLMap /app /f", `<a href='/APP/it%20s' checked>`, `<a href="/f/it%20s" checked>`},
		{on + "ProxyHTMLURLMap /app /f", `<p><IMG src = "/app/i.png"  usemap=/appl/><br/>`, `<p><IMG src = "/f/i.png"  usemap="/fl/"><br/>`},
		{on + "ProxyHTMLURLMap /app /f\nProxyHTMLURLMap /f /g", `<a href="/app">`, `<a href="/f">`},
		{on + "ProxyHTMLURLMap /app /f h", `<a href="/app">`, `<a href="/app">`},
		{on + "ProxyHTMLURLMap ^/(app|other)/ /<$1>/ R", `<a href="/other/app/">`, `<a href="/&lt;other&gt;/app/">`},
		{on + "ProxyHTMLURLMap /APP/ /f/ Ri", `<a href="/x/app/y/app/">`, `<a href="/x/f/y/app/">`},
		{on + "ProxyHTMLURLMap /app /f Rl\nProxyHTMLURLMap /f /g R", `<a href="/app">`, `<a href="/g">`},
		{on + "ProxyHTMLURLMap /app /f", `<a onclick="go('/app')"><script>u="/app/x"</script>`, `<a onclick="go('/app')"><script>u="/app/x"</script>`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap /app /f", `<a onclick="go('/app','/app')"><script>if (a<b) u="/app/x?/app/"</script><style>@import "/app"</style><p>/app`, `<a onclick="go('/f','/f')"><script>if (a<b) u="/f/x?/f/"</script><style>@import "/f"</style><p>/app`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap /app /f e", `<a onclick="/app"><script>/app</script>`, `<a onclick="/app"><script>/f</script>`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap /app /f c", `<a onclick="/app"><script>/app</script>`, `<a onclick="/f"><script>/app</script>`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap /app /f ^", `<a onclick="/app x /app">`, `<a onclick="/f x /f">`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap /app /f $", `<a onclick="/app x /app"><a onclick="/app x">`, `<a onclick="/app x /f"><a onclick="/app x">`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap /app /f L\nProxyHTMLURLMap /f /g", `<a onclick="/app /f">`, `<a onclick="/f /f">`},
		{on + "ProxyHTMLExtended On\nProxyHTMLURLMap \"(https?)://([a-z]+)\\\\.internal\" $1s://$2.example Rx", `<a onclick="http://a.internal, http://b.internal">`, `<a onclick="https://a.example, https://b.example">`},
		{on + "ProxyHTMLURLMap http://one https://two Rn\nProxyHTMLURLMap (/x) $1/ Rn", `<a href="/x">`, `<a href="/x/">`},
		{on + "ProxyHTMLURLMap /app /f\nProxyHTMLStripComments On\nProxyHTMLDoctype html5", `<!DOCTYPE HTML PUBLIC "x"><!-- /app --><a href="/app">`, "<!DOCTYPE html>\n<a href=\"/f\">"},
		{on + "ProxyHTMLURLMap /app /f", `<!DOCTYPE HTML PUBLIC "x"><!-- /app --><![CDATA[ x ]]><a href="/app">`, `<!DOCTYPE HTML PUBLIC "x"><!-- /app --><![CDATA[ x ]]><a href="/f">`},
		{on + "ProxyHTMLFixups lowercase dospath", `<a href="C:\Docs\A.HTML" title='A "B"' id=X>T`, `<a href="c:/docs/a.html" title="a &quot;b&quot;" id="x">T`},
		{on + "ProxyHTMLURLMap /app /f", `abc`, `abc`},
		{"SetOutputFilter proxy-html\nProxyHTMLURLMap /app /f", `<a href="/app">`, `<a href="/f">`},
		{"ProxyHTMLURLMap /app /f", `<a href="/app">`, `<a href="/app">`},
		{on + "ProxyHTMLURLMap /app /f", `<a href="/app"`, `<a href="/app"`},
		{on + "ProxyHTMLURLMap /app /f", `<meta http-equiv="Content-Type" content="text/html; charset=utf-8"><a href="/app">`, `<a href="/f">`},
		{on + "ProxyHTMLInterp On\nSetEnv TO /to\nProxyHTMLURLMap ${FROM|/app} ${TO}/x${NONE} vV", `<a href="/app/y">`, `<a href="/to/x/y">`},
		{on + "ProxyHTMLInterp On\nSetEnv GO yes\nProxyHTMLURLMap /a /go V GO=yes\nProxyHTMLURLMap /a /not V GO!=x", `<a href="/a">`, `<a href="/go">`},
		{on + "ProxyHTMLInterp On\nProxyHTMLURLMap /a /go V GO=yes\nProxyHTMLURLMap /a /expr V \"%{REQUEST_URI} == '/'\"", `<a href="/a">`, `<a href="/expr">`},
		{on + "ProxyHTMLURLMap /a /go V GO=yes", `<a href="/a">`, `<a href="/go">`},
	} {
		c.conf = strings.Replace(c.conf, "GO!=x", "!GO=x", 1)
		for _, piece := range []int{0, 1, 13} {
			if piece > 0 && len(c.page) < 4 {
				continue
			}
			r := serving(t, c.conf, "text/html; charset=UTF-8", c.page, piece)
			x := r.Get("GET / HTTP/1.1")
			if got := sitetest.Body(x); got != c.want {
				t.Errorf("%s\npieces of %d:\n got %s\nwant %s", c.conf, piece, got, c.want)
			}
		}
	}
}

// TestMerge: in which order rules of places come: recorded from httpd 2.4.71.
func TestMerge(t *testing.T) {
	r := serving(t, `
ProxyHTMLEnable On
ProxyHTMLURLMap /a/b /server-ab
ProxyHTMLURLMap /a /server-a
<Location /one>
ProxyHTMLURLMap /c /one-c
</Location>
<Location /two>
ProxyHTMLURLMap /a /two-a
ProxyHTMLURLMap /a/b /two-ab
</Location>
<Location /links>
ProxyHTMLLinks area href
</Location>
<Location /off>
ProxyHTMLEnable Off
</Location>
<Location /reset>
ProxyHTMLFixups reset
</Location>`, "text/html", `<a href="/a/b">x</a><a href="/c">`, 0)
	for path, want := range map[string]string{
		"/": `<a href="/server-ab">x</a><a href="/c">`, "/one": `<a href="/server-a/b">x</a><a href="/one-c">`, "/two": `<a href="/two-ab">x</a><a href="/c">`,
		"/links": `<a href="/a/b">x</a><a href="/c">`, "/off": `<a href="/server-ab">x</a><a href="/c">`, "/reset": `<a href="/a/b">x</a><a href="/c">`,
	} {
		if got := sitetest.Body(r.Get("GET " + path + " HTTP/1.1")); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// TestCharsets: a page becomes UTF-8, or what ProxyHTMLCharsetOut says.
func TestCharsets(t *testing.T) {
	const on = "ProxyHTMLEnable On\nProxyHTMLURLMap /app /f\n"
	for _, c := range []struct{ conf, mediaType, page, want, wantType, log string }{
		{on, "text/html; charset=ISO-8859-1", "caf\xe9 and more", "café and more", "text/html;charset=utf-8", ""},
		{on, "text/html; charset=windows-1252", "\x80 caf\xe9", "€ café", "text/html;charset=utf-8", ""},
		{on, "text/html;charset=utf-8", "café", "café", "text/html;charset=utf-8", ""},
		{on, "text/html;" + strings.Repeat("Ⱥ", 20) + "; Charset=ISO-8859-1", "caf\xe9", "café", "text/html;charset=utf-8", ""}, // longer in small letters
		{on, "text/html", "caf\xe9", "café", "text/html;charset=utf-8", ""},
		{on, "text/html", "<meta charset=utf-8>café", "<meta charset=utf-8>café", "text/html;charset=utf-8", ""},
		{on, "text/html", `<meta http-equiv=content-type content="text/html;charset=utf-8">café`, "café", "text/html;charset=utf-8", ""},
		{on, "text/html", "\xef\xbb\xbfcafé", "\xef\xbb\xbfcafé", "text/html;charset=utf-8", ""},
		{on, "application/xhtml+xml; charset=utf-8", "café", "café", "text/html;charset=utf-8", ""},
		{on + "xml2EncDefault UTF-8", "text/html", "café", "café", "text/html;charset=utf-8", ""},
		{on + "xml2EncAlias ISO-8859-1 odd", "text/html;charset=odd", "caf\xe9", "café", "text/html;charset=utf-8", ""},
		{on, "text/html;charset=nosuch", "caf\xe9", "café", "text/html;charset=utf-8", "[xml2enc:error] AH01435: Charset nosuch not supported.  Consider aliasing it?\n[xml2enc:warn] AH01436: No usable charset information; using configuration default"},
		{on + "ProxyHTMLCharsetOut *", "text/html;charset=ISO-8859-1", "caf\xe9", "caf\xe9", "text/html;charset=ISO-8859-1", ""},
		{on + "ProxyHTMLCharsetOut *", "text/html", "<meta charset=ISO-8859-15>caf\xe9", "<meta charset=ISO-8859-15>caf\xe9", "text/html;charset=ISO-8859-15", ""},
		{on + "ProxyHTMLCharsetOut ISO-8859-1", "text/html;charset=utf-8", "café €", "caf\xe9 &#8364;", "text/html;charset=ISO-8859-1", ""},
		{on + "ProxyHTMLCharsetOut ISO-2022-JP", "text/html;charset=utf-8", "<p>日本", "<p>\x1b$BF|K\\\x1b(B", "text/html;charset=ISO-2022-JP", ""},
		{on + "ProxyHTMLCharsetOut ISO-2022-JP", "text/html;charset=utf-8", "日本</p>", "\x1b$BF|K\\\x1b(B</p>", "text/html;charset=ISO-2022-JP", ""},
		{on + "ProxyHTMLCharsetOut ISO-8859-1", "text/html;charset=utf-8", "caf\xc3", "caf&#65533;", "text/html;charset=ISO-8859-1", ""},
		{on + "ProxyHTMLCharsetOut Shift_JIS", "text/html;charset=utf-8", "日\xe6\x9c", "\x93\xfa&#65533;&#65533;", "text/html;charset=Shift_JIS", ""},
		{"SetOutputFilter xml2enc", "text/html;charset=ISO-8859-1", "caf\xe9", "café", "text/html;charset=utf-8", ""},
		{on, "text/css; charset=ISO-8859-1", "caf\xe9", "caf\xe9", "text/css; charset=ISO-8859-1", ""},
	} {
		for _, piece := range []int{0, 1} {
			r := serving(t, c.conf, c.mediaType, c.page, piece)
			x := r.Get("GET / HTTP/1.1")
			got := sitetest.Body(x)
			if log := r.Log.Take(); got != c.want || x.Res.Header.Get("Content-Type") != c.wantType || log != c.log {
				t.Errorf("%s, %s, pieces of %d: %q %s\n%s", c.conf, c.mediaType, piece, got, x.Res.Header.Get("Content-Type"), log)
			}
		}
	}
}

// TestMeta: what a page may say of its head, and what not.
func TestMeta(t *testing.T) {
	r := serving(t, "ProxyHTMLEnable On\nProxyHTMLMeta On\n", "text/html", `<meta http-equiv="Refresh" content="5"><meta http-equiv=Set-Cookie content=a=b><meta http-equiv="Content-Language" content='de'><p>`, 5)
	x := r.Get("GET / HTTP/1.1")
	h := &x.Res.Header
	if h.Get("Refresh") != "5" || h.Get("Content-Language") != "de" || h.Has("Set-Cookie") {
		t.Error(h.F)
	}
	sitetest.Body(x)
}

// TestAside: what is not rewritten.
func TestAside(t *testing.T) {
	const body = `<a href="/app">text</a>`
	for _, c := range []struct{ conf, fields, request string }{
		{"ProxyHTMLEnable On\n", "Content-Type: application/json", "GET / HTTP/1.1"},
		{"ProxyHTMLEnable On\n", "", "GET / HTTP/1.1"},
		{"ProxyHTMLEnable On\n", "Content-Type: text/html|Content-Encoding: gzip", "GET / HTTP/1.1"},
	} {
		r := sitetest.New(t, preload, links+c.conf+"ProxyHTMLURLMap /app /f\n", modules(func(string) sitetest.Answer {
			return sitetest.Answer{Fields: c.fields + "|Content-Length: 23", Body: body}
		})...)
		x := r.Get(c.request)
		if got := sitetest.Body(x); got != body || !x.Res.Header.Has("Content-Length") {
			t.Errorf("%s: %s", c.fields, got)
		}
	}
	r := sitetest.New(t, preload, "ProxyHTMLEnable On\nProxyHTMLURLMap /app /f\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Fields: "Content-Type: text/html", Body: body} })...)
	if got := sitetest.Body(r.Get("GET / HTTP/1.1")); got != body {
		t.Error("without links:", got)
	}
}

// TestLongTokens: what is held is bounded; the page passes whole.
func TestLongTokens(t *testing.T) {
	long := strings.Repeat("x", 3*mostToken)
	page := `<a href="/app"><!--` + long + `--><a href="/app">`
	r := serving(t, "ProxyHTMLEnable On\nProxyHTMLURLMap /app /f\n", "text/html;charset=utf-8", page, 60000)
	x := r.Get("GET / HTTP/1.1")
	b, err := io.ReadAll(x.Res.Body)
	if err != nil || string(b) != `<a href="/f"><!--`+long+`--><a href="/app">` {
		t.Error(len(b), err)
	}
	x.Res.Body.Close()
}

// TestWords: httpd's own words.
func TestWords(t *testing.T) {
	for conf, want := range map[string]string{
		"ProxyHTMLBufSize x":    "Invalid value for directive ProxyHTMLBufSize, expected integer",
		"xml2EncDefault nosuch": "Invalid or unsupported default charset",
		"xml2EncDefault utf-8":  "",
		"ProxyHTMLEnable x":     "ProxyHTMLEnable must be On or Off",
		"ProxyHTMLLinks a":      "ProxyHTMLLinks requires at least two arguments, Declare HTML Attributes",
		"ProxyHTMLURLMap ( x R": "ProxyHTMLURLMap: the pattern could not be compiled: (",
	} {
		if got := sitetest.Refused(preload, conf, modules(nil)...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// FuzzTags: a page without rules passes as it is, and with one that changes nothing else either.
func FuzzTags(f *testing.F) {
	for _, s := range []string{`<a href="/app">`, `<a href=/app/ x='y>`, "<a\x00b", `<script>"<a href='/app'>`, `<a href="a&amp;b"/><!-- -- >`, "<![CDATA[<a>]]>", `<a =href="/app" a==b>`, "<A HREF = '/app' / >"} {
		f.Add(s, 3)
	}
	pageOf := ""
	piece := 1
	mods := modules(func(string) sitetest.Answer {
		return sitetest.Answer{Fields: "Content-Type: text/html;charset=utf-8", Body: pageOf, Piece: piece}
	})
	none := sitetest.New(f, preload, links+"ProxyHTMLEnable On\nProxyHTMLURLMap /none /x\n", mods...)
	some := sitetest.New(f, preload, links+"ProxyHTMLEnable On\nProxyHTMLURLMap /app /longer\n", mods...)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if len(s) < leastPage || len(s) > 4096 {
			return
		}
		pageOf, piece = s, max(1, n%97)
		if got := sitetest.Body(none.Get("GET / HTTP/1.1")); got != s && !metaType.MatchString(s) {
			t.Fatalf("%q became %q", s, got)
		}
		whole := sitetest.Body(some.Get("GET / HTTP/1.1"))
		piece = len(s)
		if again := sitetest.Body(some.Get("GET / HTTP/1.1")); again != whole {
			t.Fatalf("%q in pieces of %d became %q, else %q", s, n, whole, again)
		}
		if !strings.Contains(strings.ToLower(s), "/app") && !strings.Contains(s, "&") && whole != s && !metaType.MatchString(s) {
			t.Fatalf("%q became %q", s, whole)
		}
	})
}

// TestTypesWithoutPage: where there is no page to be read its type still tells the charset that there would be.
func TestTypesWithoutPage(t *testing.T) {
	a := sitetest.Answer{}
	r := sitetest.New(t, preload, "ProxyHTMLEnable On\nProxyHTMLLinks a href\nProxyHTMLURLMap /a /b\n", modules(func(string) sitetest.Answer { return a })...)
	for _, c := range []struct {
		method, kind, body string
		status             int
		want               string
	}{
		{"HEAD", "text/html", "", 200, "text/html;charset=utf-8"}, {"HEAD", "text/html; charset=ISO-8859-1; x=y", "", 200, "text/html; charset=utf-8; x=y"}, {"HEAD", "application/xhtml+xml", "", 200, "application/xhtml+xml;charset=utf-8"},
		{"GET", "text/html", "", 200, "text/html;charset=utf-8"}, {"GET", "Text/HTML; Charset=x", "<a>", 200, "Text/HTML; Charset=utf-8"}, {"GET", "text/html", "", 304, "text/html"}, {"GET", "text/html", "", 204, "text/html"}, {"HEAD", "image/png", "", 200, "image/png"},
	} {
		a = sitetest.Answer{Status: c.status, Fields: "Content-Type: " + c.kind, Body: c.body}
		if got := r.Get(c.method + " / HTTP/1.1").Res.Header.Get("Content-Type"); got != c.want {
			t.Errorf("%s %q %d: %q, want %q", c.method, c.kind, c.status, got, c.want)
		}
	}
}
