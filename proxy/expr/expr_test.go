package expr

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// sample is the exchange that testdata/truths.txt was asked about.
func sample() *exchange.Exchange {
	x := &exchange.Exchange{
		Conn:     &exchange.Conn{Remote: netip.MustParseAddrPort("127.0.0.1:40000"), RemoteIP: "127.0.0.1", Local: netip.MustParseAddrPort("127.0.0.1:80")},
		Server:   &exchange.Server{Name: "localhost", Admin: "me@x.example", Token: "Apache/2.4.71", DocumentRoot: "/docs"},
		Local:    &exchange.Local{},
		ClientIP: "127.0.0.1", Handler: "proxy-server", Filename: "proxy:http://127.0.0.1:8080/a/b", Start: time.Now(),
	}
	q := &x.Req
	q.Method, q.Target, q.Major, q.Minor, q.Line = "GET", "/a/b?q=1&x=%20", 1, 1, "GET /a/b?q=1&x=%20 HTTP/1.1"
	q.Path, q.RawPath, q.Query, q.HasQuery = "/a/b", "/a/b", "q=1&x=%20", true
	q.Authority, q.Host, q.Port, q.Scheme = "LocalHost:99", "localhost", 99, "http"
	q.Header.Add("Host", "LocalHost:99")
	q.Header.Add("X-In", "yes")
	q.Header.Add("X-Two", "a, b")
	x.Res.Status = 200
	x.Res.Header.Add("Content-Type", "text/css")
	x.Res.Header.Add("X-Out", "out")
	x.Res.Always.Add("X-Always", "al")
	x.Env.Set("E", "v")
	return x
}

func lines(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func TestTruths(t *testing.T) {
	for _, line := range lines(t, "truths.txt") {
		want, text := line[0] == 'T', line[2:]
		e, err := Compile(text, Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := e.Match(sample()); got != want || err != nil {
			t.Errorf("%s: %v %v", text, got, err)
		}
		again, err := Compile(e.String(), Options{})
		if err != nil {
			t.Errorf("%s: printed as %s: %v", text, e, err)
		} else if got, _ := again.Match(sample()); got != want || again.String() != e.String() {
			t.Errorf("%s: printed as %s, then %s: %v", text, e, again, got)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, line := range lines(t, "errors.txt") {
		text, want, _ := strings.Cut(line, "\t")
		got := "ok"
		if _, err := Compile(text, Options{}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("a", maxText)
	for text, want := range map[string]string{
		"'" + long + "' == 'a'":                             "String too long",
		"'" + long[1:] + "' == 'a'":                         "",
		"'a' =~ /" + long + "/":                             "syntax error, unexpected T_ERROR, expecting T_REGEX or T_REGEX_I: Regexp too long",
		strings.Repeat("(", 100000):                         "memory exhausted",
		strings.Repeat("!", 100000):                         "memory exhausted",
		strings.Repeat("true||", 100000) + "true":           "memory exhausted",
		strings.Repeat("%{tolower:", 100000):                "memory exhausted",
		strings.Repeat("tolower(", 100000):                  "memory exhausted",
		"'a' " + strings.Repeat(". 'a'", 100000) + " == ''": "memory exhausted",
		"true\x00 nonsense":                                 "",
	} {
		got := ""
		if _, err := Compile(text, Options{}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.30s…: %q, want %q", text, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		text string
		o    Options
		want string
	}{
		{"file('/x') == 'a'", Options{Restricted: true}, "file not available in restricted context"},
		{"FILESIZE('/x') == 'a'", Options{Restricted: true}, "filesize not available in restricted context"},
		{"-e '/x'", Options{Restricted: true}, "-e not available in restricted context"},
		{"-n 'x'", Options{Restricted: true}, ""},
		{"%{SSL_PROTOCOL} == 'a'", Options{NoTLS: true}, "Variable 'SSL_PROTOCOL' does not exist"},
		{"SSL('HTTPS') == 'a'", Options{NoTLS: true}, "Function 'SSL' does not exist"},
		{"'a' in PeerExtList('1')", Options{NoTLS: true}, "List-returning function 'PeerExtList' does not exist"},
	} {
		got := ""
		if _, err := Compile(c.text, c.o); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
	for text, want := range map[string]bool{"'9' lt '10'": true, "'b' < 'aa'": true, "'aa' == 'aa'": true, "'10' gt '9'": true, "'07' eq '7'": false} {
		if got := holds(t, text, Options{SSLCompat: true}, sample()); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func holds(t testing.TB, text string, o Options, x *exchange.Exchange) bool {
	t.Helper()
	e, err := Compile(text, o)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	ok, err := e.Match(x)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return ok
}

func TestString(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"plain":                         "plain",
		`a "b" 'c'`:                     `a "b" 'c'`,
		"%{REQUEST_METHOD}":             "GET",
		"<%{REQUEST_METHOD}>":           "<GET>",
		"%{req:Host}/%{REQUEST_URI}":    "LocalHost:99//a/b",
		"%{tolower:A%{req:Host}B}":      "alocalhost:99b",
		"100% $x $1}":                   "100% $x }",
		`a\tb\\\%{`:                     "a\tb\\%{",
		`end\`:                          `end\`,
		`%{req:it's}"`:                  `"`,
		"%{md5:%{base64:%{env:E}}}":     "78b1a4fc4f4f6c28a9a3ba4ea5d3ff2f",
		"%{escape:%{unescape:%41 %42}}": "A%20B",
		"%{SSL_PROTOCOL}":               "",
		"%{CONTEXT_DOCUMENT_ROOT}":      "/docs",
		"%{SERVER_SOFTWARE}":            "Apache/2.4.71",
		"1%{E_NOT:x}":                   "error Function 'E_NOT' does not exist",
		"%{NOPE}":                       "error Variable 'NOPE' does not exist",
		"%{REQUEST_METHOD":              "error syntax error, unexpected T_ERROR, expecting T_VAR_END or ':': Unterminated string or variable",
		"a\nb":                          "error Unterminated string or variable",
		"a%{REQUEST_METHOD}\n":          "error syntax error, unexpected T_ERROR, expecting $end: Unterminated string or variable",
	} {
		s, err := CompileString(text)
		if err != nil {
			if want != "error "+err.Error() {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if got, err := s.Eval(sample()); got != want && text != "%{md5:%{base64:%{env:E}}}" || err != nil {
			t.Errorf("%q: %q %v, want %q", text, got, err, want)
		}
		again, err := CompileString(s.String())
		if err != nil || again.String() != s.String() {
			t.Errorf("%q: printed as %q: %v", text, s, err)
		}
	}
	s, _ := CompileString("always")
	if c, ok := s.Const(); c != "always" || !ok {
		t.Error("not constant")
	}
	s, _ = CompileString("a%{HTTPS}")
	if _, ok := s.Const(); ok {
		t.Error("constant")
	}
}

func TestVary(t *testing.T) {
	x := sample()
	holds(t, "req('X-In') == 'yes' || req('Never') == ''", Options{}, x)
	holds(t, "%{HTTP_USER_AGENT} == '' && -n %{HTTP_HOST} && -z http('X-None') && -z req_novary('X-No')", Options{}, x)
	holds(t, "-n req('X-Two')", Options{DontVary: true}, x)
	if v := x.Res.Header.Get("Vary"); v != "X-In, User-Agent, X-None" {
		t.Error(v)
	}
	s, _ := CompileString("%{req:X-Three}")
	s.Eval(x)
	if v := x.Res.Header.Get("Vary"); v != "X-In, User-Agent, X-None" {
		t.Error("a text varies: ", v)
	}
}

func TestCaptures(t *testing.T) {
	var c Captures
	for _, k := range []struct {
		text     string
		ran, set bool
		one      string
	}{
		{"req('X-In') =~ /y(.)/", true, true, "e"},
		{"req('X-In') =~ /y./", false, false, ""},
		{"req('X-In') !~ /q(.)/", true, false, ""},
		{"'ab' =~ /a(b)/ && 'c' =~ /c/", true, true, "b"},
	} {
		e, err := Compile(k.text, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := e.MatchCaptures(sample(), &c); !ok {
			t.Errorf("%s does not hold", k.text)
		}
		if c.Ran != k.ran || c.Set != k.set || c.Group(1) != k.one || c.Group(7) != "" {
			t.Errorf("%s: %+v", k.text, c)
		}
	}
}

type log struct{ lines []string }

func (l *log) Write(e *exchange.LogEntry) {
	l.lines = append(l.lines, e.Module+" "+e.Level.String()+" "+e.Message)
}

func TestFailure(t *testing.T) {
	x, l := sample(), &log{}
	x.Server.ErrorLog = l
	e, err := Compile("file('/nope/x') == '' || req('X-In') == 'no'", Options{File: "/etc/h.conf", Line: 7, Module: "headers"})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := e.Match(x); ok || err == nil || err.Error() != "Cannot open file /nope/x" {
		t.Error(ok, err)
	}
	want := "headers error Evaluation of expression from /etc/h.conf:7 failed: Cannot open file /nope/x"
	if len(l.lines) != 1 || l.lines[0] != want || x.Res.Header.Has("Vary") {
		t.Error(l.lines, x.Res.Header)
	}
	if ok, err := e.Match(x); ok || err == nil {
		t.Error("the second evaluation:", ok, err)
	}
}

type probe struct{ asked []string }

func (p *probe) Probe(_ *exchange.Exchange, path string) int {
	p.asked = append(p.asked, path)
	if path == "/denied" {
		return 403
	}
	return 200
}
func (p *probe) ProbeFile(_ *exchange.Exchange, name string) (string, int) {
	return name, p.Probe(nil, name)
}

func TestProbe(t *testing.T) {
	x := sample()
	x.State[exchange.StateHost] = &probe{}
	for text, want := range map[string]bool{"-U '/a'": true, "-A '/denied'": false, "-F '/etc'": false, "-F '/etc/passwd'": true, "-F '/nope'": false} {
		if got := holds(t, text, Options{}, x); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if holds(t, "-U '/a'", Options{}, sample()) {
		t.Error("nobody to ask, and yet served")
	}
}

func TestHealthBody(t *testing.T) {
	x := sample()
	x.Res.Bytes([]byte("all is well"))
	if !holds(t, "hc('body') =~ /well/ && %{HC_BODY} =~ /^all/ && hc('x') == '' && %{HC_OTHER} == ''", Options{HC: true}, x) {
		t.Error("no body")
	}
	if holds(t, "hc('body') =~ /well/", Options{}, x) {
		t.Error("the body of an ordinary answer shows")
	}
}

func TestVariable(t *testing.T) {
	for _, name := range []string{"REQUEST_URI", "http_host", "SSL_CIPHER"} {
		if _, ok := Variable(name); !ok {
			t.Error(name)
		}
	}
	if _, ok := Variable("SERVER_ADDR"); ok {
		t.Error("SERVER_ADDR")
	}
	of, _ := Variable("HTTP_HOST")
	if of(sample()) != "LocalHost:99" {
		t.Error(of(sample()))
	}
}

func TestEarly(t *testing.T) {
	x := sample()
	x.Req.Path, x.Req.RawPath = "", "/%61"
	if !holds(t, "%{REQUEST_URI} == '/%61'", Options{}, x) {
		t.Error("the path as received")
	}
}

// FuzzCompile holds that what compiles prints as something that compiles to the same, and that both
// find the same; and that nothing makes the compiler or an evaluation fall over.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"truths.txt", "errors.txt"} {
		for _, line := range lines(f, name) {
			f.Add(strings.TrimLeft(line, "TF "))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if bytes.ContainsAny([]byte(text), "-") && strings.Contains(text, "ipmatch") || strings.Contains(strings.ToLower(text), "file") {
			return // no DNS and no files
		}
		if s, err := CompileString(text); err == nil {
			again, err := CompileString(s.String())
			if err != nil || again.String() != s.String() {
				t.Fatalf("%q printed as %q: %v", text, s, err)
			}
			if !strings.Contains(strings.ToUpper(text), "TIME") {
				if a, b := first(s.Eval(sample())), first(again.Eval(sample())); a != b {
					t.Fatalf("%q: %q, printed as %q: %q", text, a, s, b)
				}
			}
		}
		e, err := Compile(text, Options{})
		if err != nil {
			return
		}
		again, err := Compile(e.String(), Options{})
		if err != nil || again.String() != e.String() {
			t.Fatalf("%q printed as %q: %v", text, e, err)
		}
		if strings.Contains(strings.ToUpper(text), "TIME") {
			return
		}
		if a, b := first(e.Match(sample())), first(again.Match(sample())); a != b || a != naive(e.root, sample()) {
			t.Fatalf("%q: %v, printed as %q: %v", text, a, e, b)
		}
	})
}

func first[T any](v T, _ error) T { return v }
