package accesslog

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// sample is an exchange that is over.
func sample() *exchange.Exchange {
	x := &exchange.Exchange{
		Conn: &exchange.Conn{ID: 3, RemoteIP: "10.0.0.9", Remote: netip.MustParseAddrPort("10.0.0.9:5678"),
			Local: netip.MustParseAddrPort("[::ffff:127.0.0.1]:8080"), Kept: 2},
		Server:   &exchange.Server{Name: "web.example"},
		ClientIP: "192.0.2.1",
		Filename: "proxy:http://member/x", Handler: "proxy-server",
		Start: time.Date(2026, 11, 21, 5, 7, 55, 12345678, time.UTC),
	}
	q := &x.Req
	q.Line, q.Method, q.Major, q.Minor = "GET /a%20b?q=1 HTTP/1.1", "GET", 1, 1
	q.Path, q.Query, q.HasQuery, q.Host, q.Port = "/a b", "q=1", true, "www.example", 8081
	q.Header.Add("X-In", "quote \" back \\ tab \t and \xe9\x01")
	q.Header.Add("X-Empty", "")
	q.Header.Add("Cookie", "C=crumb; empty=; d = two words ;E=x=y")
	q.Trailer.Add("X-Sum", "1")
	r := &x.Res
	r.Status, r.Sent, r.Wrote, r.Read, r.FirstByte, r.Kept = 200, 5, 205, 80, x.Start.Add(1500*time.Microsecond), true
	r.Header.Add("Content-Type", "text/html; charset=utf-8")
	r.Header.Add("Set-Cookie", "a=1")
	r.Header.Add("Set-Cookie", "b=2")
	r.Header.Add("X-Out", "from the member")
	r.Always.Add("X-Out", "always")
	r.Trailer.Add("X-End", "2")
	x.Env.Set("E", "env")
	x.Notes.Set("n", "note")
	return x
}

func line(t *testing.T, format string, x *exchange.Exchange) string {
	t.Helper()
	f, err := Compile(format, Options{})
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	v := &view{x: x, end: x.Start.Add(1234567 * time.Microsecond), track: true}
	return strings.TrimSuffix(string(f.append(nil, v)), "\n")
}

func TestLetters(t *testing.T) {
	time.Local = time.UTC
	for format, want := range map[string]string{
		"%a %{c}a %h %{c}h %A %l %u":        "192.0.2.1 10.0.0.9 192.0.2.1 10.0.0.9 127.0.0.1 - -",
		`"%r" %m %H %U%q`:                   `"GET /a%20b?q=1 HTTP/1.1" GET HTTP/1.1 /a b?q=1`,
		"%f %R %k %X %%":                    "proxy:http://member/x proxy-server 2 + %",
		"%s %>s %b %B %I %O %S":             "200 200 5 5 80 205 285",
		"%{X-In}i|%{x-empty}i|%{None}i":     `quote \" back \\ tab \t and \xe9\x01||-`,
		"%{C}C %{d}C %{empty}C %{e}C %{z}C": "crumb two words - x=y -",
		"%{Content-Type}o %{Set-Cookie}o":   "text/html a=1, b=2",
		"%{X-Out}o %{None}o":                "always -",
		"%{X-Sum}^ti %{X-End}^to":           "1 2",
		"%{E}e %{None}e %{n}n %{None}n":     "env - note -",
		"%v %V %p %{canonical}p":            "web.example www.example 80 80",
		"%{local}p %{remote}p %{odd}p":      "8080 5678 odd",
		"%t":                                "[21/Nov/2026:05:07:55 +0000]",
		"%{end}t %{end:sec}t":               "[21/Nov/2026:05:07:56 +0000] 1795237676",
		"%{sec}t %{msec}t %{usec}t":         "1795237675 1795237675012 1795237675012345",
		"%{msec_frac}t %{usec_frac}t":       "012 012345",
		"%{begin:msec_frac}t %{end:usec}t":  "012 1795237676246912",
		"%{%d/%b/%Y}t %{end:%S}t":           "21/Nov/2026 56",
		"%D %T %{ms}T %{us}T %{s}T %{x}T":   "1234567 1 1234 1234567 1 x",
		"%^FB":                              "1500",
		"%{tid}P|%{odd}P":                   "|odd",
		"%L %{c}L":                          "- -",
		`a\tb\\c\d\n`:                       "a\tb\\c\\d\n",
		"%404{X-Out}o %200{X-Out}o":         "- always",
		"%!200,304{X-Out}o %!404{X-Out}o":   "- always",
		"%200,404s %!200s":                  "200 -",
	} {
		got := line(t, format, sample())
		if format == "%{tid}P|%{odd}P" {
			got = strings.TrimLeft(got, "0123456789")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
	if got := line(t, "%P", sample()); got != fmt.Sprint(os.Getpid()) {
		t.Errorf("pid %s", got)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	x := &exchange.Exchange{Conn: &exchange.Conn{RemoteIP: "10.0.0.9"}, Server: &exchange.Server{Name: "s", Port: 81}, User: "joe"}
	x.Res.Aborted = true
	x.LogID = "abc"
	x.Conn.Logged = 1
	if got := line(t, "%h %u %r %m %U %q %f %R %s %b %B %X %p %L ^%^FB", x); got != "10.0.0.9 joe - - -  - - - - 0 X 81 abc ^-" {
		t.Errorf("%q", got)
	}
	if got := line(t, "%{c}L", x); len(got) != 11 {
		t.Errorf("%q", got)
	}
	x.Res.Aborted = false
	x.Req.Major = 2
	if got := line(t, "%X %k", x); got != "- 1" {
		t.Errorf("%q", got)
	}
}

// TestContentLength: a page of our own has its length in no field; an answer without a body, or of unknown length, has none.
func TestContentLength(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		length int64
		field  string
		want   string
	}{{"GET", 503, 339, "", "339"}, {"OPTIONS", 200, 0, "", "0"}, {"HEAD", 503, 339, "", "-"}, {"GET", 304, 0, "", "-"}, {"GET", 200, -1, "", "-"}, {"HEAD", 200, 0, "7", "7"}} {
		x := sample()
		x.Req.Method, x.Res.Status, x.Res.Length = c.method, c.status, c.length
		if c.field != "" {
			x.Res.Header.Set("Content-Length", c.field)
		}
		if got := line(t, "%{content-length}o", x); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestFraming: what the client's protocol says of connection and body is told, too (recorded from httpd).
func TestFraming(t *testing.T) {
	const format = "%{connection}o %{Transfer-Encoding}o"
	x := sample()
	if got := line(t, format, x); got != "- -" {
		t.Errorf("of HTTP/2: %s", got)
	}
	x.Res.Chunked, x.Res.Persists = true, "close"
	if got := line(t, format, x); got != "close chunked" {
		t.Error(got)
	}
	x.Res.Header.Set("Connection", "upgrade")
	if got := line(t, format, x); got != "upgrade chunked" {
		t.Errorf("with a field: %s", got)
	}
}

func TestTheByteThatIsCountedTwice(t *testing.T) {
	f, err := Compile("%I %S", Options{Peeks: true})
	if err != nil {
		t.Fatal(err)
	}
	x := sample()
	if got := string(f.append(nil, &view{x: x})); got != "81 286\n" {
		t.Errorf("on a kept connection: %q", got)
	}
	x.Conn.Kept = 0
	if got := string(f.append(nil, &view{x: x})); got != "80 285\n" {
		t.Errorf("on a fresh one: %q", got)
	}
}

func TestOriginalAndFinal(t *testing.T) {
	x := sample()
	x.Req.Path, x.Req.Query, x.Req.HasQuery, x.Filename, x.Handler = "/err.html", "", false, "/docs/err.html", "file"
	x.Prev = &exchange.Original{Status: 404, Path: "/lost", Query: "a=b", Filename: "/docs/lost", Handler: "first"}
	x.Res.Status = 200
	if got := line(t, "%s %<s %>s|%U %>U %<U|%q %<q|%f %<f|%R %>R", x); got != "404 404 200|/lost /err.html /lost| ?a=b|/docs/err.html /docs/lost|first file" {
		t.Errorf("%q", got)
	}
	if got := line(t, "%200{X-Out}o", x); got != "always" {
		t.Errorf("conditions go by the final status: %q", got)
	}
}

func TestFormatMistakes(t *testing.T) {
	for format, want := range map[string]string{
		"%Q":             "Unrecognized LogFormat directive %Q",
		"%{x}Z":          "Unrecognized LogFormat directive %Z",
		"%^FU":           "Unrecognized LogFormat directive %^",
		"%^":             "Unrecognized LogFormat directive %^",
		"%F":             "Unrecognized LogFormat directive %F",
		"%{SSL_CIPHER}x": "Unrecognized LogFormat directive %x",
		"%{x":            "Ran off end of LogFormat parsing args to some directive",
		"%>":             "Ran off end of LogFormat parsing args to some directive",
		"%":              "Ran off end of LogFormat parsing args to some directive",
		"%{x}":           "Ran off end of LogFormat parsing args to some directive",
	} {
		if _, err := Compile(format, Options{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", format, err, want)
		}
	}
	ssl := func(name string) func(*exchange.Exchange) string {
		if name == "NONE" {
			return nil
		}
		return func(*exchange.Exchange) string { return name + "!" }
	}
	f, err := Compile("%{SSL_X}x %{cipher}c %{errcode}c %{NONE}x", Options{SSL: ssl})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.append(nil, &view{x: sample()})); got != "SSL_X! SSL_CIPHER! - -\n" {
		t.Errorf("%q", got)
	}
}

const combined = `%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D %{BALANCER_WORKER_ROUTE}e`

func TestALineAllocatesNothing(t *testing.T) {
	f, err := Compile(combined+` %a %A %{x}C %{X-Out}o %p %X %T %q %U %V %k %B`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := &view{x: sample(), line: make([]byte, 0, 1024)}
	if n := testing.AllocsPerRun(1000, func() { v.end = time.Time{}; v.line = f.append(v.line[:0], v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCombined(b *testing.B) {
	f, _ := Compile(combined, Options{})
	v := &view{x: sample(), line: make([]byte, 0, 1024)}
	b.ReportAllocs()
	for b.Loop() {
		v.end = time.Time{}
		v.line = f.append(v.line[:0], v)
	}
}
