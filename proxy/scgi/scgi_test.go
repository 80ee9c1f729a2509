package scgi

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

type request struct {
	names []string
	vars  map[string]string
	body  string
}

// read reads a request: a netstring, and the body that it announces.
func read(c net.Conn) (r request, ok bool) {
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(c)
	size, err := in.ReadString(':')
	n, bad := strconv.Atoi(strings.TrimSuffix(size, ":"))
	if err != nil || bad != nil {
		return r, false
	}
	text := make([]byte, n+1)
	if _, err := io.ReadFull(in, text); err != nil || text[n] != ',' {
		return r, false
	}
	words := strings.Split(string(text[:n]), "\x00")
	r.vars = map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		r.names = append(r.names, words[i])
		r.vars[words[i]] = words[i+1]
	}
	length, _ := strconv.Atoi(r.vars["CONTENT_LENGTH"])
	body := make([]byte, length)
	_, err = io.ReadFull(in, body)
	r.body = string(body)
	return r, err == nil
}

func readRequest(c net.Conn) bool {
	_, ok := read(c)
	return ok
}

// says answers with pieces, one write each, and closes.
func says(pieces ...[]byte) func(net.Conn) { return membertest.Once(readRequest, pieces...) }

// ask carries a request to a member that runs a script. Whether an answer has a length is a matter of when its end comes
// (TestWholeAnswersHaveALength), and left out here.
func ask(t testing.TB, x *exchange.Exchange, script func(net.Conn)) membertest.Outcome {
	o := measured(t, x, script)
	if int(o.Length) == len(o.Body) && !strings.Contains(o.Fields, "Content-Length:") {
		o.Length = -1
	}
	return o
}

func measured(t testing.TB, x *exchange.Exchange, script func(net.Conn)) membertest.Outcome {
	return membertest.Ask(NewBackend(), membertest.Worker(t, "scgi", func(s *balancer.WorkerSettings) { s.Timeout.Set, s.Timeout.V = true, 20*time.Second }, script), x)
}

func get() *exchange.Exchange { return membertest.Request("GET", "/x", "", 0) }

const answer = "Status: 201 Made\r\nX-A: 1\r\nX-A: 2\r\n\r\nbody"

func TestAnswerAtEachByte(t *testing.T) {
	want := ask(t, get(), says([]byte(answer)))
	if want.Status != 201 || want.Reason != "Made" || want.Body != "body" || want.Fields != "X-A: 1, 2\n" || want.Kept || want.Length != -1 {
		t.Error(want)
	}
	asked := func(s func(net.Conn)) membertest.Outcome { return ask(t, get(), s) }
	membertest.Split(t, []byte(answer), readRequest, membertest.Once, asked)
	began := strings.Index(answer, "\r\n\r\n") + 4
	membertest.Cut(t, []byte(answer), readRequest, asked, func(n int, o membertest.Outcome) bool {
		return n < began && o.Kind == backend.EarlyClose || n >= began && o.Body == answer[began:n]
	})
}

// What the log says of a head that is not there, or not whole, before it says that there is none (recorded from httpd).
func TestLinesOfCutHeads(t *testing.T) {
	for says1, line := range map[string]string{"": "End of script output before headers: ", "X-A": "End of script output before headers: ", "X-A: 1\r\nX": "Premature end of script headers: "} {
		if o := ask(t, get(), says([]byte(says1))); o.Kind != backend.EarlyClose || !strings.Contains(o.Log, line) {
			t.Errorf("%q: %v %s", says1, o, o.Log)
		}
	}
}

// An answer whose end comes with it has a length, as with httpd; one whose end is still to come has none.
func TestWholeAnswersHaveALength(t *testing.T) {
	for end := time.Now().Add(10 * time.Second); ; {
		o := measured(t, get(), says([]byte(answer)))
		if o.Body != "body" || o.Length != 4 && o.Length != -1 {
			t.Fatal(o)
		}
		if o.Length == 4 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no answer ever has a length")
		}
	}
	o := measured(t, get(), func(c net.Conn) {
		readRequest(c)
		io.WriteString(c, answer)
		time.Sleep(50 * time.Millisecond) // its end comes later
	})
	if o.Length != -1 || o.Body != "body" {
		t.Error(o)
	}
	long := strings.Repeat("0123456789", 10_000)
	if o := measured(t, get(), says([]byte("X-A: 1\r\n\r\n"+long))); o.Length != -1 || o.Body != long {
		t.Errorf("a long one: %v", o)
	}
}

// An answer that the request's conditions have no use for is replaced by our own, as an error is (recorded from httpd), and no
// range is cut of one.
func TestConditions(t *testing.T) {
	const tagged = "ETag: \"v1\"\r\nSet-Cookie: a=1\r\n"
	for _, c := range []struct {
		name, value, says string
		want              int
	}{
		{"If-None-Match", `"v1"`, tagged, 304}, {"If-None-Match", `"v2"`, tagged, 200}, {"If-Match", `"v2"`, tagged, 412}, {"If-None-Match", `"v1"`, "Status: 200 OK\r\n" + tagged, 200},
		{"If-Modified-Since", "Tue, 02 Jan 2024 00:00:00 GMT", "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n", 304},
	} {
		x := get()
		x.Req.Header.Add(c.name, c.value)
		if o := ask(t, x, says([]byte(c.says+"\r\nhello"))); o.Status != c.want || o.Kind != 0 || (o.Body == "hello") != (c.want == 200) {
			t.Errorf("%s: %s, %q: %v", c.name, c.value, c.says, o)
		}
	}
	x := get()
	if ask(t, x, says([]byte(answer))); x.Res.Ranges != nil && x.Res.Ranges.Most != 0 {
		t.Error("ranges may be cut")
	}
}

func TestHostileMembers(t *testing.T) {
	for name, c := range map[string]struct {
		says string
		kind backend.Kind
	}{
		"nothing":     {"", backend.EarlyClose},
		"no colon":    {"nonsense\r\n\r\nx", backend.BadHead},
		"HTTP":        {"HTTP/1.1 200 OK\r\n\r\nx", backend.BadHead},
		"a long line": {"X-A: " + strings.Repeat("a", 9000) + "\r\n\r\nx", backend.BadHead},
		"a long head": {strings.Repeat("X-A: 1\r\n", 9000) + "\r\nx", backend.BadHead},
		"no end":      {strings.Repeat("x", 1<<20), backend.BadHead},
		"interim":     {"Status: 100 Go on\r\n\r\nx", backend.BadFraming},
	} {
		if o := ask(t, get(), says([]byte(c.says))); o.Kind != c.kind || o.Kept {
			t.Errorf("%s: %v", name, o)
		}
	}
}

func TestSlowMember(t *testing.T) {
	membertest.Slow(t, "scgi", NewBackend(), readRequest, map[string]func(membertest.Outcome) bool{
		"":                 func(o membertest.Outcome) bool { return o.Kind == backend.ReadTimeout },
		"X-A: 1\r\n":       func(o membertest.Outcome) bool { return o.Kind == backend.ReadTimeout },
		"X-A: 1\r\n\r\nxy": func(o membertest.Outcome) bool { return o.Status == 200 && o.Body == "xy" && o.Broken },
	})
}

func TestTrustedLength(t *testing.T) {
	for body, broken := range map[string]bool{"12345": false, "1234": true, "123456": false} {
		x := get()
		x.Env.Set("ap_trust_cgilike_cl", "1")
		if o := ask(t, x, says([]byte("Content-Length: 5\r\n\r\n"+body))); o.Length != 5 || o.Broken != broken || len(o.Body) > 5 {
			t.Errorf("%q: %v", body, o)
		}
	}
}

func TestRequest(t *testing.T) {
	text := strings.Repeat("b", 100000)
	x := membertest.Request("POST", "/x", text, int64(len(text)))
	x.Env.Set("ZERO", "a\x00b")
	x.Env.Set("OWN", "v")
	got := make(chan request, 1)
	o := ask(t, x, func(c net.Conn) {
		r, _ := read(c)
		got <- r
		io.WriteString(c, "\r\n")
	})
	r := <-got
	if o.Status != 200 || r.body != text || r.names[0] != "CONTENT_LENGTH" || r.names[1] != "SCGI" || r.vars["SCGI"] != "1" || r.vars["OWN"] != "v" {
		t.Error(o, r.names)
	}
	if _, has := r.vars["GATEWAY_INTERFACE"]; has || r.vars["ZERO"] != "" {
		t.Error(r.names)
	}
}

// A path that the answer names is served in its place; another value, or another status, is passed on.
func TestInternalRedirect(t *testing.T) {
	for _, c := range []struct {
		set  Settings
		says string
		path string
	}{
		{Default, "Location: /a?b\r\nX-A: 1\r\n\r\n", "/a?b"},
		{Default, "Location: /a?b#c\r\n\r\n", "/a?b"},
		{Default, "Location: http://h/a\r\n\r\n", ""},
		{Default, "Status: 302\r\nLocation: /a\r\n\r\n", ""},
		{Settings{}, "Location: /a\r\n\r\n", ""},
		{Settings{Redirect: "X-Go"}, "X-Go: /a\r\n\r\n", "/a"},
		{Settings{Redirect: "X-Go"}, "Location: /a\r\n\r\n", ""},
	} {
		x := membertest.Request("POST", "/x", "abc", 3)
		x.State[exchange.StateSCGI] = &c.set
		err := NewBackend().RoundTrip(t.Context(), membertest.Worker(t, "scgi", nil, says([]byte(c.says))), x, &backend.Call{})
		r, _ := err.(*exchange.Redirect)
		if (r != nil) != (c.path != "") || r != nil && (r.Path != c.path || x.Req.Method != "GET" || x.Req.Length != 0 || x.Req.Spent || x.Res.Always.Get("X-Go") != "") {
			t.Errorf("%q: %v, %s of %d bytes", c.says, err, x.Req.Method, x.Req.Length)
		}
		x.Finish()
	}
}

// A field that names no file at all asks for one as well (recorded from httpd).
func TestSendsNoFile(t *testing.T) {
	for says1, status := range map[string]exchange.Status{"X-Sendfile:\r\n\r\nown": 500, "X-Sendfile: x.txt\r\n\r\nown": 500, "X-Other: /x\r\n\r\nown": 0} {
		x := get()
		x.State[exchange.StateSCGI] = &Settings{Sendfile: "X-Sendfile"}
		err := NewBackend().RoundTrip(t.Context(), membertest.Worker(t, "scgi", nil, says([]byte(says1))), x, &backend.Call{})
		if got, _ := err.(exchange.Status); got != status || status == 0 && err != nil {
			t.Errorf("%q: %v, want %d", says1, err, status)
		}
		x.Finish()
	}
}

// A request without a body has a CONTENT_LENGTH for the member, and no such variable.
func TestLengthOfNoBody(t *testing.T) {
	x := get()
	sent := make(chan request, 1)
	ask(t, x, func(c net.Conn) {
		r, _ := read(c)
		sent <- r
		io.WriteString(c, answer)
	})
	if r := <-sent; r.vars["CONTENT_LENGTH"] != "0" || x.Env.Has("CONTENT_LENGTH") {
		t.Errorf("the member got %q; a variable: %v", r.vars["CONTENT_LENGTH"], x.Env.Has("CONTENT_LENGTH"))
	}
}

// FuzzAnswer: a head in pieces is the head at once, and a body begins behind its empty line.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(answer), byte(3))
	f.Add([]byte("\n\r\nx"), byte(1))
	f.Fuzz(func(t *testing.T, p []byte, step byte) {
		status, used := decoded(p, len(p)+1)
		for _, n := range []int{1, int(step) + 1} {
			if s, u := decoded(p, n); s != status || u != used {
				t.Fatalf("in pieces of %d: %d %d, at once: %d %d", n, s, u, status, used)
			}
		}
		if used > 0 && !bytes.HasSuffix(p[:used], []byte("\n")) {
			t.Fatalf("%q: the body begins at %d", p, used)
		}
	})
}

func decoded(p []byte, n int) (status, used int) {
	x := get()
	s := &backend.SerialStream{}
	s.X, s.Worker, s.Call = x, membertest.Nobody(), &backend.Call{}
	c := &codec{}
	c.Begin(s)
	for k := min(n, len(p)); ; k = min(k+n, len(p)) {
		used, _, err := c.ParseHead(p[:k])
		switch {
		case err == nil:
			return x.Res.Status, used
		case err != backend.ErrIncomplete:
			return -1, 0
		case k == len(p):
			return 0, 0
		}
	}
}

// Whatever a member does with its connection, the request comes to an end, and the connection is not used again.
func TestRudeMembers(t *testing.T) {
	membertest.Rude(t, "scgi", NewBackend(), readRequest, []byte(answer), "POST")
}
