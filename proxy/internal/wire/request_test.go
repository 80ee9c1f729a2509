package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var usual = Rules{Line: 8190, FieldSize: 8190, Fields: 100, Allow09: true}

func unsafeRules() Rules {
	r := usual
	r.Unsafe = true
	return r
}

// code is a refusal as "400 AH01234", or "ok".
func code(err error) string {
	var f *Refusal
	switch {
	case err == nil:
		return "ok"
	case err == ErrIncomplete:
		return "more"
	case !errors.As(err, &f):
		return err.Error()
	}
	ah, _, _ := strings.Cut(f.Message, ":")
	return strings.TrimSpace(decimal(int64(f.Status)) + " " + ah)
}

func TestRequestLines(t *testing.T) {
	for _, c := range []struct{ line, strict, unsafe string }{
		{"GET /x HTTP/1.1", "ok", "ok"},
		{"GET /x HTTP/1.9", "ok", "ok"},
		{"GET /x HTTP/2.0", "ok", "ok"},
		{"BREW /x HTTP/1.1", "ok", "ok"},
		{"OPTIONS * HTTP/1.1", "ok", "ok"},
		{"GET * HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET x HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET http://h/x HTTP/1.1", "ok", "ok"},
		{"GET https://h/x HTTP/1.1", "ok", "ok"},
		{"GET http:///x HTTP/1.1", "ok", "ok"},
		{"GET x:y HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET ?a HTTP/1.1", "ok", "ok"},
		{"OPTIONS x HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET http://h:8x/ HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET http://[::1]x/ HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET http://u:p@h/x HTTP/1.1", "400 AH02422", "ok"},
		{"GET /x#f HTTP/1.1", "400 AH02421", "ok"},
		{"GET /x?a#f HTTP/1.1", "400 AH02421", "ok"},
		{"CONNECT h:443 HTTP/1.1", "ok", "ok"},
		{"CONNECT h HTTP/1.1", "400 AH03450", "400 AH03450"},
		{"GET  /x HTTP/1.1", "400 AH03448", "ok"},
		{"GET /x  HTTP/1.1", "400 AH03448", "ok"},
		{"GET /x HTTP/1.1 ", "400 AH03448", "ok"},
		{"GET /x HTTP/1.1 x", "400 AH03448", "400 AH03449"},
		{" GET /x HTTP/1.1", "400 AH03447", "400 AH03447"},
		{"GET\t/x HTTP/1.1", "400 AH03447", "400 AH03447"},
		{"GET /x\tHTTP/1.1", "400 AH03447", "400 AH03447"},
		{"GET /x HTTP/1.1\t", "400 AH03448", "400 AH03447"},
		{"GET /x\x01 HTTP/1.1", "400 AH03454", "400 AH03454"},
		{"GET /x\x7f HTTP/1.1", "400 AH03454", "400 AH03454"},
		{"GET /\xe9 HTTP/1.1", "ok", "ok"},
		{"G[T /x HTTP/1.1", "400 AH03445", "ok"},
		{"GET\x00 /x HTTP/1.1", "400 AH03445", "400 AH03445"},
		{"GET", "400 AH03446", "400 AH03446"},
		{"GET ", "400 AH03454", "400 AH03454"},
		{"GET /x http/1.1", "400 AH02418", "ok"},
		{"GET /x HTTP/1", "400 AH02418", "400 AH02418"},
		{"GET /x HTTP/0.9", "400 AH02418", "400 AH02418"},
		{"GET /x HTTP/1.11", "400 AH02418", "400 AH02418"},
		{"GET /x FTP/1.1", "400 AH02418", "400 AH02418"},
		{"GET /x HTTP/1.1\r", "400 AH03448", "400 AH03447"},
	} {
		for rules, want := range map[*Rules]string{&usual: c.strict, ptr(unsafeRules()): c.unsafe} {
			var r Request
			var h Header
			_, err := ParseRequest([]byte(c.line+"\r\nHost: h\r\n\r\n"), rules, &r, &h)
			if got := code(err); got != want {
				t.Errorf("%q (unsafe %v): %s, want %s", c.line, rules.Unsafe, got, want)
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestRequestTargets(t *testing.T) {
	for _, c := range []struct {
		line, path, query, host string
		has                     bool
		port                    int
	}{
		{"GET / HTTP/1.1", "/", "", "field.test", false, 81},
		{"GET /a%20b?c=d?e HTTP/1.1", "/a%20b", "c=d?e", "field.test", true, 81},
		{"GET /a? HTTP/1.1", "/a", "", "field.test", true, 81},
		{"GET //a//b HTTP/1.1", "/a//b", "", "field.test", false, 81},
		{"GET http://Target.Test:82/a?b HTTP/1.1", "/a", "b", "target.test", true, 82},
		{"GET http://target.test?b HTTP/1.1", "/", "b", "target.test", true, 0},
		{"GET http://target.test: HTTP/1.1", "/", "", "target.test", false, 0},
		{"GET http://[FE80::1]:82/ HTTP/1.1", "/", "", "fe80::1", false, 82},
		{"GET https://other.test/a HTTP/1.1", "/a", "", "field.test", false, 81},
		{"GET ?a=b HTTP/1.1", "/", "a=b", "field.test", true, 81},
		{"GET http:/x HTTP/1.1", "/x", "", "field.test", false, 81},
		{"GET http:?a HTTP/1.1", "/", "a", "field.test", true, 81},
		{"GET http:// HTTP/1.1", "/", "", "", false, 0},
		{"GET ftp://target.test/x HTTP/1.1", "/x", "", "field.test", false, 81},
		{"GET http://target.test:99999/ HTTP/1.1", "/", "", "target.test", false, 0},
		{"OPTIONS ?a HTTP/1.1", "*", "a", "field.test", true, 81},
		{"OPTIONS http://target.test HTTP/1.1", "*", "", "target.test", false, 0},
		{"OPTIONS * HTTP/1.1", "*", "", "field.test", false, 81},
		{"CONNECT target.test:443 HTTP/1.1", "/", "", "target.test", false, 443},
	} {
		var r Request
		var h Header
		if _, err := ParseRequest([]byte(c.line+"\r\nHost: Field.Test.:81\r\n\r\n"), &usual, &r, &h); err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if r.RawPath != c.path || r.Query != c.query || r.HasQuery != c.has || r.Host != c.host || r.Port != c.port {
			t.Errorf("%s: %q %q %v host %q port %d", c.line, r.RawPath, r.Query, r.HasQuery, r.Host, r.Port)
		}
	}
}

// The Host field that others read says the same as an absolute target (CVE-class: host confusion).
func TestTargetReplacesHostField(t *testing.T) {
	for target, want := range map[string]string{
		"http://Good.Test/": "good.test", "http://good.test:80/": "good.test:80", "http://[::1]:8/": "[::1]:8", "/": "evil.test",
		"http://Good.Test.:081/": "good.test:081", "http://good.test:99999/": "good.test:99999", "http:///": "", "http://good.test:/": "good.test:",
	} {
		var r Request
		var h Header
		if _, err := ParseRequest([]byte("GET "+target+" HTTP/1.1\r\nHost: evil.test\r\n\r\n"), &usual, &r, &h); err != nil {
			t.Fatal(err)
		}
		if got := h.GetID(Host); got != want {
			t.Errorf("%s: Host is %q, want %q", target, got, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for _, c := range []struct{ host, strict, unsafe string }{
		{"h", "ok", "ok"}, {"h:80", "ok", "ok"}, {"a_b", "ok", "ok"}, {"-a", "ok", "ok"}, {"h.", "ok", "ok"}, {"1.2.3.4", "ok", "ok"},
		{"[::1]", "ok", "ok"}, {"[::1]:80", "ok", "ok"}, {"[::1", "400 AH00550", "400 AH00550"}, {"[::g]", "400 AH00550", "400 AH00550"},
		{"[fe80::1%25eth0]", "400 AH00550", "400 AH00550"},
		{"a b", "400 AH02415", "ok"}, {"a:8x", "400 AH02415", "ok"}, {"a/b", "400 AH00550", "400 AH00550"}, {"a\\b", "400 AH00550", "400 AH00550"},
		{"a:99999", "400 AH00550", "400 AH00550"}, {"a:0", "400 AH00550", "400 AH00550"}, {":80", "400 AH00550", "400 AH00550"},
		{"a..b", "400 AH00550", "400 AH00550"}, {"a@b", "400 AH02415", "ok"}, {"%41", "400 AH02415", "ok"}, {"123", "400 AH02416", "ok"},
		{"1.2.3", "400 AH02415", "ok"}, {"1.2.3.04", "400 AH02415", "ok"}, {"01.2.3.4", "400 AH02415", "ok"}, {"a.1b", "400 AH02415", "ok"},
		{"a, b", "400 AH02415", "ok"}, {"", "400 AH00569", "400 AH00569"}, {".", "400 AH02415", "ok"},
	} {
		for rules, want := range map[*Rules]string{&usual: c.strict, ptr(unsafeRules()): c.unsafe} {
			var r Request
			var h Header
			_, err := ParseRequest([]byte("GET / HTTP/1.1\r\nHost: "+c.host+"\r\n\r\n"), rules, &r, &h)
			if got := code(err); got != want {
				t.Errorf("%q (unsafe %v): %s, want %s", c.host, rules.Unsafe, got, want)
			}
		}
	}
	for head, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n": "400 AH00569", "GET / HTTP/1.0\r\n\r\n": "ok", "GET / HTTP/1.0\r\nHost:\r\n\r\n": "ok",
		"GET http://h/ HTTP/1.1\r\n\r\n": "400 AH00569", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": "400 AH02415",
	} {
		var r Request
		var h Header
		if _, err := ParseRequest([]byte(head), &usual, &r, &h); code(err) != want {
			t.Errorf("%q: %v, want %s", head, code(err), want)
		}
	}
}

func TestRequestFields(t *testing.T) {
	for _, c := range []struct{ fields, strict, unsafe, want string }{
		{"A: 1\r\n", "ok", "ok", "Host=h A=1"},
		{"A:1\r\nB:  2 \t \r\nC:\r\n", "ok", "ok", "Host=h A=1 B=2 C="},
		{"A: 1\r\nb: 2\r\na: 3\r\nB: 4\r\n", "ok", "ok", "Host=h A=1, 3 b=2, 4"},
		{"Cookie: a\r\nCookie: b\r\n", "ok", "ok", "Host=h Cookie=a; b"},
		{"A: one\r\n \t two  \r\n\tthree\r\nB: 1\r\n", "ok", "ok", "Host=h A=one two three B=1"},
		{"A:\r\n one\r\n", "ok", "ok", "Host=h A=one"},
		{"A: one\r\n  \r\n", "400 AH03443", "400 AH03443", ""},
		{"A : 1\r\n", "400 AH02426", "400 AH03452", ""},
		{"A\r\n", "400 AH02426", "400 AH00564", ""},
		{": 1\r\n", "400 AH02426", "400 AH03453", ""},
		{"A[: 1\r\n", "400 AH02426", "ok", "Host=h A[=1"},
		{"A: a\x01b\r\n", "400 AH02427", "400 AH02427", ""},
		{"A: a\x00b\r\n", "400 AH02427", "400 AH02427", ""},
		{"A: a\rb\r\n", "400 AH02427", "400 AH02427", ""},
		{"A: a\x7fb\r\n", "400 AH02427", "400 AH02427", ""},
		{"A: \xe9\t\r\n", "ok", "ok", "Host=h A=\xe9"},
		{"A: 1\n", "400 AH00567", "ok", "Host=h A=1"},
	} {
		for rules, want := range map[*Rules]string{&usual: c.strict, ptr(unsafeRules()): c.unsafe} {
			var r Request
			var h Header
			_, err := ParseRequest([]byte("GET / HTTP/1.1\r\nHost: h\r\n"+c.fields+"\r\n"), rules, &r, &h)
			if got := code(err); got != want {
				t.Errorf("%q (unsafe %v): %s, want %s", c.fields, rules.Unsafe, got, want)
			} else if got == "ok" && list(&h) != c.want {
				t.Errorf("%q: fields %q", c.fields, list(&h))
			}
		}
	}
	var r Request
	var h Header
	if _, err := ParseRequest([]byte("GET / HTTP/1.1\r\n folded: 1\r\n\r\n"), &usual, &r, &h); code(err) != "400 AH03442" {
		t.Errorf("a fold in front of all fields: %v", err)
	}
}

func TestLimits(t *testing.T) {
	long := func(n int) string { return "GET /" + strings.Repeat("x", n-14) + " HTTP/1.1\r\nHost: h\r\n\r\n" }
	field := func(n int) string {
		return "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("v", n-3) + "\r\n\r\n"
	}
	many := func(n int) string { return "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: v\r\n", n-1) + "\r\n" }
	half := strings.Repeat("v", 5000)
	for _, c := range []struct{ name, head, want, note string }{
		{"line at the limit", long(8191), "ok", ""},
		{"line beyond it", long(8192), "414 AH00565", ""},
		{"line without an end", long(9000)[:8193], "414 AH00565", ""},
		{"line that may still end", long(9000)[:8192], "more", ""},
		{"field at the limit", field(8191), "ok", ""},
		{"field beyond it", field(8192), "400 AH00561", sizeNote},
		{"field without an end", field(9000)[:8300], "400 AH00561", sizeNote},
		{"merged beyond it", "GET / HTTP/1.1\r\nHost: h\r\nX: " + half + "\r\nX: " + half + "\r\n\r\n", "400 AH00560", sizeNote},
		{"folded beyond it", "GET / HTTP/1.1\r\nHost: h\r\nX: " + half + "\r\n " + half + "\r\n\r\n", "400 AH00562", sizeNote},
		{"as many fields as may be", many(100), "ok", ""},
		{"one more", many(101), "400 AH00563", countNote},
	} {
		var r Request
		var h Header
		_, err := ParseRequest([]byte(c.head), &usual, &r, &h)
		var f *Refusal
		errors.As(err, &f)
		if code(err) != c.want || f != nil && f.Note != c.note {
			t.Errorf("%s: %v %+v", c.name, code(err), f)
		}
	}
	var r Request
	var h Header
	free := usual
	free.Fields = 0
	if _, err := ParseRequest([]byte(many(500)), &free, &r, &h); err != nil {
		t.Errorf("without a limit of their number: %v", err)
	}
}

func TestEmptyLinesInFront(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, c := range []struct{ front, strict, unsafe string }{
		{"\r\n", "ok", "ok"}, {strings.Repeat("\r\n", 10), "ok", "ok"}, {strings.Repeat("\r\n", 11), "400 AH03445", "400 AH03445"},
		{"\n", "400 AH00566", "ok"}, {"\r", "400 AH03447", "400 AH03447"},
	} {
		for rules, want := range map[*Rules]string{&usual: c.strict, ptr(unsafeRules()): c.unsafe} {
			var r Request
			var h Header
			if _, err := ParseRequest([]byte(c.front+head), rules, &r, &h); code(err) != want {
				t.Errorf("%q (unsafe %v): %s, want %s", c.front, rules.Unsafe, code(err), want)
			}
		}
	}
}

func TestHTTP09(t *testing.T) {
	for _, c := range []struct {
		line string
		deny bool
		want string
	}{
		{"GET /x", false, "ok"}, {"GET /x", true, "400 AH02401"}, {"HEAD /x", false, "400 AH03444"}, {"POST /x", false, "400 AH03444"},
		{"GET /x ", false, "ok"}, {"GET x", false, "400 AH03450"},
	} {
		rules := usual
		rules.Allow09 = !c.deny
		var r Request
		var h Header
		n, err := ParseRequest([]byte(c.line+"\r\nrest"), &rules, &r, &h)
		if code(err) != c.want || err == nil && (r.Major != 0 || r.Minor != 9 || n != len(c.line)+2) {
			t.Errorf("%q: %v %d.%d after %d", c.line, code(err), r.Major, r.Minor, n)
		}
	}
}

func TestRegisteredMethods(t *testing.T) {
	rules := usual
	rules.Registered = true
	for method, want := range map[string]string{"GET": "ok", "PROPFIND": "ok", "BREW": "501 AH02423", "get": "501 AH02423"} {
		var r Request
		var h Header
		if _, err := ParseRequest([]byte(method+" / HTTP/1.1\r\nHost: h\r\n\r\n"), &rules, &r, &h); code(err) != want {
			t.Errorf("%s: %v, want %s", method, code(err), want)
		}
	}
}

func TestConnectionOptions(t *testing.T) {
	for _, c := range []struct {
		fields           string
		keep, close_, up bool
		expect           bool
		want             string
	}{
		{"", false, false, false, false, "ok"},
		{"Connection: Keep-Alive\r\n", true, false, false, false, "ok"},
		{"Connection: close\r\n", false, true, false, false, "ok"},
		{"Connection: x, ,keep-alive ,CLOSE\r\n", true, true, false, false, "ok"},
		{"Connection: Upgrade\r\n", false, false, false, false, "ok"},
		{"Connection: keep-alive, upgrade\r\nUpgrade: a\r\n", true, false, true, false, "ok"},
		{"Upgrade: a\r\n", false, false, false, false, "ok"},
		{"Expect: 100-Continue\r\n", false, false, false, true, "ok"},
		{"Expect:\r\n", false, false, false, false, "ok"},
		{"Expect: more\r\n", false, false, false, false, "417 AH00570"},
	} {
		var r Request
		var h Header
		_, err := ParseRequest([]byte("GET / HTTP/1.1\r\nHost: h\r\n"+c.fields+"\r\n"), &usual, &r, &h)
		if code(err) != c.want || r.Keep != c.keep || r.Close != c.close_ || r.Upgrade != c.up || r.Expect100 != c.expect {
			t.Errorf("%q: %v keep %v close %v upgrade %v expect %v", c.fields, code(err), r.Keep, r.Close, r.Upgrade, r.Expect100)
		}
	}
}

// However the bytes arrive, the head is the same; before the end more are wanted.
func TestEveryPrefixWantsMore(t *testing.T) {
	head := "\r\nPOST /a?b HTTP/1.1\r\nHost: h\r\nA: 1\r\n 2\r\nContent-Length: 3\r\n\r\n"
	for n := range len(head) {
		var r Request
		var h Header
		if _, err := ParseRequest([]byte(head[:n]), &usual, &r, &h); err != ErrIncomplete {
			t.Fatalf("%q: %v", head[:n], err)
		}
	}
	var r Request
	var h Header
	if n, err := ParseRequest([]byte(head+"abc"), &usual, &r, &h); n != len(head) || err != nil || list(&h) != "Host=h A=1 2 Content-Length=3" {
		t.Errorf("%d %v %s", n, err, list(&h))
	}
}

// TestCrowd: where LimitRequestFields allows any number, as many as the limit on the whole head allows
// are read in no time, and merged as few are.
func TestCrowd(t *testing.T) {
	var b strings.Builder
	b.WriteString("GET / HTTP/1.1\r\nHost: h\r\nX-0: first\r\n")
	for i := range 60000 {
		fmt.Fprintf(&b, "X-%d: v\r\n", i)
	}
	b.WriteString("HOST2: a\r\nhost2: b\r\nx-59999: w\r\n\r\n")
	rules := usual
	rules.Fields = 0
	var r Request
	var h Header
	start := time.Now()
	if n, err := ParseRequest([]byte(b.String()), &rules, &r, &h); err != nil || n != b.Len() {
		t.Fatal(n, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if h.Len() != 60002 || h.Get("X-0") != "first, v" || h.Get("Host2") != "a, b" || h.Get("X-59999") != "v, w" || h.Get("Host") != "h" {
		t.Error(h.Len(), h.Get("X-0"), h.Get("host2"), h.Get("X-59999"))
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	b := []byte("GET /index.html?a=b HTTP/1.1\r\nHost: front.test:8080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\n" +
		"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nCookie: JSESSIONID=abcdef.r1; theme=dark\r\nConnection: keep-alive\r\n\r\n")
	a := []byte("HTTP/1.1 200 OK\r\nServer: member\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n\r\n")
	var q Request
	var p Response
	var h Header
	rules := ResponseRules{FieldSize: 8192}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := ParseRequest(b, &usual, &q, &h); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseResponse(a, &rules, &p, &h); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
