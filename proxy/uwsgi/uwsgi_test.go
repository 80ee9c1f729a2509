package uwsgi

import (
	"context"
	"encoding/binary"
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
	vars map[string]string
	body string
}

func read(c net.Conn) (r request, ok bool) {
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	var lead [4]byte
	if _, err := io.ReadFull(c, lead[:]); err != nil || lead[0] != 0 || lead[3] != 0 {
		return r, false
	}
	p := make([]byte, binary.LittleEndian.Uint16(lead[1:]))
	if _, err := io.ReadFull(c, p); err != nil {
		return r, false
	}
	text := func() string {
		n := int(binary.LittleEndian.Uint16(p))
		s := string(p[2 : 2+n])
		p = p[2+n:]
		return s
	}
	r.vars = map[string]string{}
	for len(p) > 0 {
		name := text()
		r.vars[name] = text()
	}
	length, _ := strconv.Atoi(r.vars["CONTENT_LENGTH"])
	body := make([]byte, length)
	_, err := io.ReadFull(c, body)
	r.body = string(body)
	return r, err == nil
}

func readRequest(c net.Conn) bool {
	_, ok := read(c)
	return ok
}

// says answers with pieces, one write each, and closes.
func says(pieces ...[]byte) func(net.Conn) { return membertest.Once(readRequest, pieces...) }

func ask(t testing.TB, x *exchange.Exchange, script func(net.Conn)) membertest.Outcome {
	return membertest.Ask(NewBackend(), membertest.Worker(t, "uwsgi", func(s *balancer.WorkerSettings) { s.Timeout.Set, s.Timeout.V = true, 20*time.Second }, script), x)
}

func get() *exchange.Exchange { return membertest.Request("GET", "/x", "", 0) }

const answer = "HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\n\r\nbody"

func TestAnswerAtEachByte(t *testing.T) {
	want := ask(t, get(), says([]byte(answer)))
	if want.Status != 201 || want.Reason != "Made" || want.Body != "body" || want.Fields != "X-A: 1\nX-A: 2\n" || want.Kept {
		t.Error(want)
	}
	asked := func(s func(net.Conn)) membertest.Outcome { return ask(t, get(), s) }
	membertest.Split(t, []byte(answer), readRequest, membertest.Once, asked)
	line, began := strings.Index(answer, "\n")+1, strings.Index(answer, "\r\n\r\n")+4
	membertest.Cut(t, []byte(answer), readRequest, asked, func(n int, o membertest.Outcome) bool {
		return n < line && o.Kind == backend.EarlyClose || line <= n && n < began && o.Kind == backend.BadHead || n >= began && o.Body == answer[began:n]
	})
}

func TestHostileMembers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		says string
		want func(membertest.Outcome) bool
	}{
		"nothing":              {"", fails(backend.EarlyClose)},
		"CGI":                  {"Status: 404 No\r\n\r\nx", fails(backend.BadStatusLine)},
		"no colon":             {ok + "nope\r\n\r\nx", fails(backend.BadHead)},
		"a bad name":           {ok + "X Y: 1\r\n\r\nx", fails(backend.BadHead)},
		"a bad value":          {ok + "X-Y: a\x01\r\n\r\nx", fails(backend.BadHead)},
		"a long line":          {ok + "X-A: " + strings.Repeat("a", 9000) + "\r\n\r\nx", fails(backend.BadHead)},
		"a long head":          {ok + strings.Repeat("X-A: 1\r\n", 30000) + "\r\nx", fails(backend.BadHead)},
		"no end":               {strings.Repeat("x", 1<<20), func(o membertest.Outcome) bool { return o.Kind != 0 }},
		"interim":              {"HTTP/1.1 103 Early\r\n\r\n" + ok + "\r\n", fails(backend.BadHead)},
		"two lengths":          {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy", fails(backend.BadHead)},
		"a body that is short": {ok + "Content-Length: 5\r\n\r\nxy", func(o membertest.Outcome) bool { return o.Body == "xy" && o.Broken }},
		"a body that is long":  {ok + "Content-Length: 1\r\n\r\nxy", func(o membertest.Outcome) bool { return o.Body == "x" && !o.Broken }},
		"chunks":               {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n", func(o membertest.Outcome) bool { return o.Body == "xy" && !o.Broken && o.Fields == "" }},
		"broken chunks":        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nxyz\r\n", func(o membertest.Outcome) bool { return o.Broken }},
	} {
		if o := ask(t, get(), says([]byte(c.says))); !c.want(o) || o.Kept {
			t.Errorf("%s: %v", name, o)
		}
	}
}

func fails(kind backend.Kind) func(membertest.Outcome) bool {
	return func(o membertest.Outcome) bool { return o.Kind == kind }
}

func TestSlowMember(t *testing.T) {
	membertest.Slow(t, "uwsgi", NewBackend(), readRequest, map[string]func(membertest.Outcome) bool{
		"":                                    fails(backend.ReadTimeout),
		"HTTP/1.1 200":                        fails(backend.ReadTimeout),
		"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nxy": func(o membertest.Outcome) bool { return o.Status == 200 && o.Body == "xy" && o.Broken },
	})
}

// told is what a member is sent.
func told(t *testing.T, x *exchange.Exchange) request {
	t.Helper()
	got := make(chan request, 1)
	if o := ask(t, x, func(c net.Conn) {
		r, _ := read(c)
		got <- r
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	}); o.Status != 200 {
		t.Fatal(o, o.Log)
	}
	return <-got
}

// What httpd 2.4.71 makes of paths; where it cuts by length, what both have in common at their ends is cut.
func TestWhereTheApplicationIs(t *testing.T) {
	for _, c := range [][4]string{ // the client's path, the member's, SCRIPT_NAME, PATH_INFO
		{"/app/a b", "//a%20b", "/app", "/a b"},
		{"/", "/", "", "/"},
		{"/x/y", "/x/y", "", "/x/y"},
		{"/app", "/", "/app", "/"},
		{"/app/", "//", "/app/", "/"},
		{"/same/x", "/same/x", "", "/same/x"},
		{"/lo", "/a/long/path", "/lo", "/a/long/path"},
	} {
		x := get()
		x.Req.Path, x.Out.Target = c[0], c[1]
		r := told(t, x)
		if r.vars["SCRIPT_NAME"] != c[2] || r.vars["PATH_INFO"] != c[3] {
			t.Errorf("%s, %s: %q %q, want %q %q", c[0], c[1], r.vars["SCRIPT_NAME"], r.vars["PATH_INFO"], c[2], c[3])
		}
	}
}

func TestRequest(t *testing.T) {
	text := strings.Repeat("b", 100000)
	x := membertest.Request("POST", "/x", text, int64(len(text)))
	x.Req.Header.Add("Authorization", "Basic eA==")
	if r := told(t, x); r.body != text || r.vars["HTTP_AUTHORIZATION"] != "Basic eA==" || r.vars["CONTENT_LENGTH"] != "100000" {
		t.Error(r.vars, len(r.body))
	}
	x = get()
	for i := range 70 {
		x.Req.Header.Add("X-"+strconv.Itoa(i), strings.Repeat("v", 1000))
	}
	if o := ask(t, x, says()); o.Status != 500 || !strings.Contains(o.Log, "AH10259") {
		t.Error(o, o.Log)
	}
	x = get()
	x.Out.Target = "/%zz"
	if o := ask(t, x, says()); o.Status != 500 || !strings.Contains(o.Log, "AH10100") {
		t.Error(o, o.Log)
	}
}

// What of an encoded slash or zero byte is decoded, no application can tell from a plain one: httpd 2.4.71 refuses it.
func TestPathsThatAreRefused(t *testing.T) {
	for _, path := range []string{"/a%2fb", "/a%2Fb", "/%00", "/a%252Fb"} {
		x := get()
		x.Out.Target = path
		o := ask(t, x, says([]byte("HTTP/1.1 200 OK\r\n\r\n")))
		if fine := path == "/a%252Fb"; fine != (o.Status == 200) || fine == strings.Contains(o.Log, "AH10100") {
			t.Errorf("%s: %v %s", path, o, o.Log)
		}
	}
}

// Recorded from httpd 2.4.71: fields of modules stay beside the member's, the first Content-Type counts, nothing in front of a
// status line is no answer, and no range is cut.
func TestHeads(t *testing.T) {
	x := get()
	x.Res.Header.Add("Vary", "X-Thing")
	o := ask(t, x, says([]byte("HTTP/1.1 200 OK\r\nVary: a\r\nContent-Type: A/B\r\nContent-Type: c/d\r\n\r\nx")))
	if o.Fields != "Vary: X-Thing\nVary: a\nContent-Type: A/B\n" {
		t.Error(o)
	}
	if x.Res.Ranges == nil || x.Res.Ranges.Most != 0 {
		t.Error("ranges may be cut")
	}
	for text, kind := range map[string]backend.Kind{"\r\n\r\n": backend.EarlyClose, "x\r\n\r\n": backend.BadStatusLine} {
		if o := ask(t, get(), says([]byte(text))); o.Kind != kind {
			t.Errorf("%q: %v", text, o)
		}
	}
}

// FuzzAnswer: a head in pieces is the head at once, and nothing invalid gets through.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(answer), byte(3))
	f.Add([]byte("HTTP/1.0 404 No\nX: y\n\nx"), byte(1))
	f.Fuzz(func(t *testing.T, p []byte, step byte) {
		status, used := parsed(t, p, len(p)+1)
		for _, n := range []int{1, int(step) + 1} {
			if s, u := parsed(t, p, n); max(s, 0) != max(status, 0) || u != used { // an error may be seen sooner or later
				t.Fatalf("in pieces of %d: %d %d, at once: %d %d", n, s, u, status, used)
			}
		}
	})
}

func parsed(t *testing.T, p []byte, n int) (status, used int) {
	x := get()
	s := &backend.SerialStream{}
	s.X, s.Worker, s.Call = x, membertest.Nobody(), &backend.Call{}
	c := &codec{}
	c.Begin(s)
	for k := min(n, len(p)); ; k = min(k+n, len(p)) {
		used, _, err := c.ParseHead(p[:k])
		switch {
		case err == nil:
			if _, err := c.Accept(); err == nil {
				if line := x.Res.InvalidField(); line != "" && !strings.HasPrefix(line, "AH02428") || x.Res.Status < 200 {
					t.Fatalf("%q: %d %q", p, x.Res.Status, line)
				}
			}
			return c.res.Status, used
		case err != backend.ErrIncomplete:
			return -1, 0
		case k == len(p):
			return 0, 0
		}
	}
}

// Whatever a member does with its connection, the request comes to an end, and the connection is not used again.
func TestRudeMembers(t *testing.T) {
	membertest.Rude(t, "uwsgi", NewBackend(), readRequest, []byte(answer), "POST")
}

// PATH_INFO is in logs even if the member is down (recorded of httpd 2.4.71).
func TestPathInfoWithoutMember(t *testing.T) {
	x := get()
	x.Out.Target = "//a/x%20y"
	w := membertest.Nobody()
	if err := NewBackend().RoundTrip(context.Background(), w, x, &backend.Call{}); err == nil || x.Env.Value("PATH_INFO") != "/a/x y" || x.Env.Has("SCRIPT_NAME") {
		t.Error(err, x.Env.Value("PATH_INFO"))
	}
}

// A field without a name is for the client's side to refuse; one whose name or value is no good is the member's failure.
func TestFieldWithoutName(t *testing.T) {
	for line, kind := range map[string]backend.Kind{": x": 0, ": a\x01b": backend.BadHead, "X A: x": backend.BadHead} {
		o := ask(t, get(), says([]byte("HTTP/1.1 200 OK\r\n"+line+"\r\n\r\nb")))
		if o.Kind != kind {
			t.Errorf("%q: %v", line, o)
		}
	}
}
