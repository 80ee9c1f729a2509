package filter

import (
	"context"
	"io"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "deflate substitute filter include setenvif env"

// stamp is a filter that wraps a body in a letter.
type stamp struct {
	letter string
	out    io.Writer
	begun  bool
}

func (s *stamp) Write(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		io.WriteString(s.out, s.letter+"(")
	}
	return s.out.Write(p)
}
func (s *stamp) Flush() error { return nil }
func (s *stamp) Close() error { _, err := io.WriteString(s.out, ")"); return err }

// stamps make filters known under httpd's names.
func stamps() site.Module {
	wrap := func(letter string) exchange.Step {
		return func(_ context.Context, x *exchange.Exchange) error {
			if x.Res.Body != nil {
				x.Res.Body = exchange.Rewritten(x.Res.Body, func(out io.Writer) exchange.Rewriter { return &stamp{letter: letter, out: out} })
				x.Res.Length = -1
			}
			return nil
		}
	}
	return site.Module{Name: "stamps", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.OutputFor(exchange.Filter{Name: "DEFLATE", Kind: exchange.ContentSet, Do: wrap("d")})
			p.OutputFor(exchange.Filter{Name: "INFLATE", Kind: exchange.Resource - 1, Do: wrap("i")})
			p.OutputFor(exchange.Filter{Name: "SUBSTITUTE", Kind: exchange.Resource, Do: wrap("s")})
			return nil
		}, nil
	}}
}

func modules(answer func(string) sitetest.Answer) []site.Module {
	mods := append([]site.Module{core.Module(), Core(), stamps(), Module(), sitetest.Answering(answer)}, setenvif.Modules()...)
	return mods
}

func serving(t *testing.T, conf string) *sitetest.Rig {
	return sitetest.New(t, preload, conf, modules(func(path string) sitetest.Answer {
		a := sitetest.Answer{Body: "x", Fields: "Content-Type: text/html; charset=utf-8|ETag: \"e\"|Last-Modified: then"}
		switch {
		case strings.HasSuffix(path, "/json"):
			a.Fields = "Content-Type: application/json"
		case strings.HasSuffix(path, "/upper"):
			a.Fields = "Content-Type: Text/HTML"
		case strings.HasSuffix(path, "/none"):
			a.Fields = ""
		case strings.HasSuffix(path, "/e404"):
			a.Status = 404
		case strings.HasSuffix(path, "/keep"):
			a.Fields += "|Cache-Control: max-age=9, No-Transform"
		}
		return a
	})...)
}

// TestChosen: which filters answers passed through with httpd 2.4.71, as the letters of those that ran.
func TestChosen(t *testing.T) {
	for _, c := range []struct{ conf, request, want, log string }{
		{"SetOutputFilter DEFLATE;SUBSTITUTE;INFLATE", "GET / HTTP/1.1", "d(s(i(x)))", ""},
		{"SetOutputFilter deflate", "GET / HTTP/1.1", "d(x)", ""},
		{"SetOutputFilter \"DEFLATE; SUBSTITUTE\"", "GET / HTTP/1.1", "d(x)", "[core:error] AH00082: an unknown filter was not added:  SUBSTITUTE"},
		{"SetOutputFilter NOPE;DEFLATE", "GET / HTTP/1.1", "d(x)", "[core:error] AH00082: an unknown filter was not added: NOPE"},
		{"SetOutputFilter INCLUDES;DEFLATE", "GET / HTTP/1.1", "d(x)", ""},
		{"SetOutputFilter DEFLATE\n<Location /a>\nSetOutputFilter SUBSTITUTE\n</Location>", "GET /a HTTP/1.1", "s(x)", ""},
		{"SetOutputFilter DEFLATE;;SUBSTITUTE;", "GET / HTTP/1.1", "d(s(x))", ""},
		{"AddOutputFilterByType DEFLATE text/html text/css", "GET / HTTP/1.1", "d(x)", ""},
		{"AddOutputFilterByType DEFLATE text/html", "GET /json HTTP/1.1", "x", ""},
		{"AddOutputFilterByType DEFLATE text/html", "GET /upper HTTP/1.1", "x", ""},
		{"AddOutputFilterByType DEFLATE text/html", "GET /none HTTP/1.1", "x", ""},
		{"AddOutputFilterByType DEFLATE text/html", "GET /e404 HTTP/1.1", "x", ""},
		{"AddOutputFilterByType DEFLATE text/html", "GET /e404 HTTP/1.1\nEnv: filter-errordocs", "d(x)", ""},
		{"AddOutputFilterByType SUBSTITUTE;DEFLATE text/html", "GET / HTTP/1.1", "d(s(x))", ""},
		{"AddOutputFilterByType DEFLATE text/html\nAddOutputFilterByType DEFLATE application/json", "GET / HTTP/1.1", "d(x)", ""},
		{"AddOutputFilterByType DEFLATE text/html\n<Location /a>\nAddOutputFilterByType DEFLATE application/json\n</Location>", "GET /a HTTP/1.1", "x", ""},
		{"AddOutputFilterByType DEFLATE text/html\n<Location /a>\nAddOutputFilterByType SUBSTITUTE text/html\n</Location>", "GET /a HTTP/1.1", "d(s(x))", ""},
		{"AddOutputFilterByType DEFLATE text/html\n<Location /a>\nFilterChain !\n</Location>", "GET /a HTTP/1.1", "x", ""},
		{"FilterProvider one DEFLATE true\nFilterChain one", "GET / HTTP/1.1", "d(x)", ""},
		{"FilterProvider one DEFLATE true\nFilterProvider one SUBSTITUTE \"%{CONTENT_TYPE} =~ /html/\"\nFilterChain one", "GET / HTTP/1.1", "s(x)", ""},
		{"FilterProvider one DEFLATE true\nFilterProvider one SUBSTITUTE \"%{CONTENT_TYPE} =~ /html/\"\nFilterChain one", "GET /json HTTP/1.1", "d(x)", ""},
		{"FilterDeclare one\nFilterProvider one DEFLATE true\nFilterDeclare two CONTENT_SET\nFilterProvider two SUBSTITUTE true\nFilterChain two one", "GET / HTTP/1.1", "s(d(x))", ""},
		{"FilterProvider one DEFLATE true\nFilterProvider two SUBSTITUTE true\nFilterChain +one @two -one", "GET / HTTP/1.1", "s(x)", ""},
		{"FilterProvider one DEFLATE true\nFilterProvider two SUBSTITUTE true\nFilterChain one\n<Location /a>\nFilterChain -one\n</Location>", "GET /a HTTP/1.1", "d(x)", ""},
		{"FilterProvider one DEFLATE true\nFilterProvider two SUBSTITUTE true\nFilterChain one\n<Location /a>\nFilterChain =two\n</Location>", "GET /a HTTP/1.1", "s(x)", ""},
		{"FilterProvider one DEFLATE true\nFilterProvider two SUBSTITUTE true\nFilterChain two\n<Location /a>\nFilterChain ! one\n</Location>", "GET /a HTTP/1.1", "d(x)", ""},
		{"FilterProvider one DEFLATE true\nFilterChain One", "GET / HTTP/1.1", "x", "[filter:warn] AH01380: Unknown filter One not added"},
		{"FilterProvider one DEFLATE true\nFilterProtocol one proxy=no\nFilterChain one", "GET / HTTP/1.1", "x", ""},
		{"FilterProvider one DEFLATE true\nFilterProtocol one proxy=transform\nFilterChain one", "GET /keep HTTP/1.1", "x", ""},
		{"FilterProvider one DEFLATE true\nFilterProtocol one DEFLATE proxy=transform\nFilterChain one", "GET /keep HTTP/1.1", "x", ""},
		{"FilterProvider one SUBSTITUTE true\nFilterProvider one DEFLATE true\nFilterProtocol one DEFLATE proxy=no\nFilterChain one", "GET / HTTP/1.1", "s(x)", ""},
		{"FilterProvider one DEFLATE \"resp('ETag') == '\\\"e\\\"'\"\nFilterChain one", "GET / HTTP/1.1", "d(x)", ""},
		{"LogLevel debug\nFilterProvider one DEFLATE true\nFilterTrace one 1\nFilterChain one", "GET / HTTP/1.1", "d(x)", "[filter:debug] AH01375: one"},
	} {
		r := serving(t, c.conf+"\n")
		x := r.Get(c.request)
		if body, log := sitetest.Body(x), r.Log.Take(); body != c.want || log != c.log {
			t.Errorf("%s\n%s: %s %s", c.conf, c.request, body, log)
		}
	}
}

// TestProtocol: what FilterProtocol does to heads.
func TestProtocol(t *testing.T) {
	for words, want := range map[string]string{
		"change=yes":                  "Content-Type, Last-Modified",
		"change=1:1":                  "Content-Type, Last-Modified, Content-Length",
		"change=yes,change=no":        "Content-Type, ETag, Last-Modified, Content-Length",
		"byteranges=no":               "Content-Type, ETag, Last-Modified, Content-Length, Accept-Ranges",
		"cache=no;change=1:1":         "Content-Type, Content-Length, Cache-Control",
		"\"proxy=transform foo=bar\"": "Content-Type, ETag, Last-Modified, Content-Length, Warning",
	} {
		mods := modules(func(string) sitetest.Answer {
			return sitetest.Answer{Body: "x", Fields: "Content-Type: a/b|ETag: \"e\"|Last-Modified: then|Content-Length: 1"}
		})
		r := sitetest.New(t, preload, "FilterProvider one INCLUDES true\nFilterProtocol one INCLUDES "+words+"\nFilterChain one\n", mods...)
		x := r.Get("GET / HTTP/1.1")
		var names []string
		for _, f := range x.Res.Header.F {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%s: %s", words, got)
		}
	}
}

// TestRange: where the filter says that it changes the length, a range is cut of what it made.
func TestRange(t *testing.T) {
	r := serving(t, "FilterProvider one DEFLATE true\nFilterProtocol one change=yes\nFilterChain one\n")
	x := r.Get("GET / HTTP/1.1\nRange: bytes=0-1")
	if body := sitetest.Body(x); x.Res.Status != 206 || body != "d(" || x.Withheld != "" {
		t.Errorf("%d %q", x.Res.Status, body)
	}
	r = serving(t, "FilterProvider one DEFLATE true\nFilterProtocol one change=yes\nFilterProtocol one DEFLATE byteranges=no\nFilterChain one\n")
	x = r.Get("GET / HTTP/1.1\nRange: bytes=0-1")
	if body := sitetest.Body(x); x.Res.Status != 200 || body != "d(x)" || x.Res.Header.Get("Accept-Ranges") != "none" {
		t.Errorf("%d %q", x.Res.Status, body)
	}
}

// TestWords: httpd's own words.
func TestWords(t *testing.T) {
	for conf, want := range map[string]string{
		"SetOutputFilter A B":                               "SetOutputFilter takes one argument, filter (or ; delimited list of filters) to be run on the request content",
		"SetInputFilter":                                    "SetInputFilter takes one argument, filter (or ; delimited list of filters) to be run on the request body",
		"SetOutputFilter nosuch":                            "",
		"AddOutputFilterByType DEFLATE":                     "AddOutputFilterByType requires at least two arguments",
		"AddOutputFilterByType NOSUCH a/b":                  "Unknown filter provider NOSUCH",
		"AddOutputFilterByType DEFLATE;BROTLI_COMPRESS a/b": "Unknown filter provider BROTLI_COMPRESS",
		"FilterProvider x NOSUCH true":                      "Unknown filter provider NOSUCH",
		"FilterProvider x DEFLATE":                          "FilterProvider takes three arguments, filter-name provider-name match-expression",
		"FilterProvider x DEFLATE \"foo bar\"":              "Error parsing FilterProvider expression:syntax error, unexpected T_ID, expecting '('",
		"FilterProtocol x change=yes":                       "FilterProtocol: No such filter",
		"FilterDeclare x\nFilterProtocol x DEFLATE x":       "FilterProtocol: No such provider for this filter",
		"FilterTrace x 1":                                   "Undeclared smart filter x",
		"FilterDeclare x WRONG":                             "",
		"FilterChain":                                       "FilterChain requires at least one argument, list of filter names with optional [+-=!@]",
	} {
		if got := sitetest.Refused(preload, conf, modules(nil)...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// TestAbsent: a filter that httpd would have and that is not here is told.
func TestAbsent(t *testing.T) {
	c, err := sitetest.Bind(preload, "SetOutputFilter INCLUDES\nAddOutputFilterByType INCLUDES a/b\n", modules(nil)...)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, h := range c.Hints {
		if strings.Contains(h.Text, "INCLUDES has no effect here") {
			told++
		}
	}
	if told != 2 {
		t.Error(c.Hints)
	}
}
