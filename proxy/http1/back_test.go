package http1

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// scripted answers requests that come in one piece with raw bytes: by the last element of the path, or
// "200 ok". After an answer that ends with "<close>" the connection is closed.
func scripted(answers map[string]string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, q.Body)
			raw, ok := answers[strings.TrimPrefix(q.URL.Path, "/")]
			if !ok {
				raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
			}
			pieces := strings.Split(raw, "<pause>")
			for i, p := range pieces {
				if i > 0 {
					time.Sleep(30 * time.Millisecond)
				}
				if io.WriteString(c, strings.TrimSuffix(p, "<close>")); strings.HasSuffix(p, "<close>") {
					return
				}
			}
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\n"

// THE table of whether a member's connection is used again.
func TestReuse(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		method       string
		dress        func(*exchange.Exchange)
		set          func(*balancer.WorkerSettings)
		reused       bool
	}{
		{name: "counted", answer: ok + "Content-Length: 2\r\n\r\nok", reused: true},
		{name: "counted, in two pieces", answer: ok + "Content-Length: 4\r\n\r\nok<pause>ok", reused: true},
		{name: "empty", answer: ok + "Content-Length: 0\r\n\r\n", reused: true},
		{name: "chunked", answer: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reused: true},
		{name: "chunked, in two pieces", answer: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n<pause>ok\r\n0\r\n\r\n", reused: true},
		{name: "204", answer: "HTTP/1.1 204 No\r\n\r\n", reused: true},
		{name: "304", answer: "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", reused: true},
		{name: "HEAD", method: "HEAD", answer: ok + "Content-Length: 5\r\n\r\n", reused: true},
		{name: "interim answers", answer: "HTTP/1.1 103 E\r\nA: b\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", reused: true},
		{name: "same length twice", answer: ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", reused: true},
		{name: "Connection: Keep-Alive", answer: ok + "Connection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", reused: true},
		{name: "Connection: close", answer: ok + "Connection: close\r\nContent-Length: 2\r\n\r\nok"},
		{name: "Connection: x; Close", answer: ok + "Connection: x; Close\r\nContent-Length: 2\r\n\r\nok"},
		{name: "HTTP/1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{name: "until close", answer: ok + "\r\nok<close>"},
		{name: "length beside coding", answer: ok + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{name: "bytes behind the body", answer: ok + "Content-Length: 2\r\n\r\nokHTTP/1.1 200 Evil\r\n\r\n"},
		{name: "bytes behind the body, later", answer: ok + "Content-Length: 2\r\n\r\nok<pause>evil"},
		{name: "bytes behind the last chunk", answer: ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nevil"},
		{name: "a body with 204", answer: "HTTP/1.1 204 No\r\n\r\nevil"},
		{name: "a body with HEAD", method: "HEAD", answer: ok + "Content-Length: 2\r\n\r\nok"},
		{name: "disablereuse=", answer: ok + "Content-Length: 2\r\n\r\nok", set: func(s *balancer.WorkerSettings) { s.DisableReuse = balancer.Some(true) }},
		{name: "proxy-nokeepalive", answer: ok + "Content-Length: 2\r\n\r\nok", dress: func(x *exchange.Exchange) { x.Out.Close = true }},
		{name: "force-proxy-request-1.0", answer: ok + "Content-Length: 2\r\n\r\nok", dress: func(x *exchange.Exchange) { x.Out.Minor, x.Out.Bare = 0, true }},
		{name: "proxy-initial-not-pooled", answer: ok + "Content-Length: 2\r\n\r\nok", dress: func(x *exchange.Exchange) { x.Out.NoPool = true }},
		{name: "an answer that is given up", answer: "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMember(t, scripted(map[string]string{"first": c.answer}))
			a := &app{worker: newWorker(t, "http://"+m.Addr, c.set), dress: c.dress}
			a.call.GivesUp = func(status int) bool { return status == 404 }
			f := newFront(t, a)
			method := c.method
			if method == "" {
				method = "GET"
			}
			f.ask(t, method+" /first HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			time.Sleep(60 * time.Millisecond) // for what comes late
			if got := bodies(f.ask(t, "GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")); got != "ok<EOF>" {
				t.Errorf("the second answer is %q", got)
			}
			if reused := m.Connections() == 1; reused != c.reused {
				t.Errorf("%d connections", m.Connections())
			}
		})
	}
}

// Where an attempt fails, what it is called, and what the client gets.
func TestFailures(t *testing.T) {
	slow := func(s *balancer.WorkerSettings) { s.Timeout = balancer.Some(200 * time.Millisecond) }
	for _, c := range []struct {
		name, answer string
		set          func(*balancer.WorkerSettings)
		kind         backend.Kind
		detail       string
	}{
		{"closed at once", "<close>", nil, backend.EarlyClose, ""},
		{"half a status line", "HTTP/1.1 20<close>", nil, backend.EarlyClose, ""},
		{"silence", "<pause><pause><pause><pause><pause><pause><pause><pause><pause><pause><pause><pause>", slow, backend.ReadTimeout, ""},
		{"an empty line and no more", "\r\n<close>", nil, backend.EarlyClose, ""},
		{"an empty line and half a status line", "\r\nHTTP/1.1 20<close>", nil, backend.EarlyClose, ""},
		{"an empty line and half a head", "\r\n" + ok + "<close>", nil, backend.BadHead, ""},
		{"two empty lines", "\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", nil, backend.EarlyClose, ""},
		{"half a head", ok + "A: b\r\n<close>", nil, backend.BadHead, ""},
		{"garbage", "SSH-2.0-x\r\n", nil, backend.BadStatusLine, "SSH-2.0-x"},
		{"another version", "HTTP/2.0 200 OK\r\n\r\n", nil, backend.BadStatusLine, "HTTP/2.0 200 OK"},
		{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", nil, backend.BadStatusLine, "HTTP/1.1 2000 OK"},
		{"a control character in the reason", "HTTP/1.1 200 a\x01b\r\n\r\n", nil, backend.BadStatusLine, "HTTP/1.1 200 a.b"},
		{"a line without a colon", ok + "no colon\r\n\r\n", nil, backend.BadHead, ""},
		{"a long line", ok + "A: " + strings.Repeat("b", 9000) + "\r\n\r\n", nil, backend.BadHead, backend.TooLong},
		{"a NUL in a value", ok + "A: b\x00c\r\n\r\n", nil, backend.BadHead, ""},
		{"a NUL in a name", ok + "A\x00: b\r\n\r\n", nil, backend.BadHead, ""},
		{"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", nil, backend.BadFraming, "several Content-Length"},
		{"a negative length", ok + "Content-Length: -2\r\n\r\nok", nil, backend.BadFraming, "invalid Content-Length"},
		{"several codings", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", nil, backend.BadFraming, "several transfer codings"},
		{"ten interim answers", strings.Repeat("HTTP/1.1 103 E\r\n\r\n", 10) + ok + "\r\n", nil, backend.TooManyInterim, ""},
		{"an interim answer with a bad field", "HTTP/1.1 103 E\r\nA: b\rc\r\n\r\n" + ok + "\r\n", nil, backend.BadHead, ""},
		{"a tunnel that nobody asked for", "HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", nil, backend.WrongUpgrade, "websocket (expecting n/a)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMember(t, scripted(map[string]string{"x": c.answer}))
			a := &app{worker: newWorker(t, "http://"+m.Addr, c.set)}
			f := newFront(t, a)
			got := f.ask(t, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			time.Sleep(100 * time.Millisecond)
			e := a.failure()
			if e == nil || e.Kind != c.kind || e.Detail != c.detail || e.Timeout != (c.kind == backend.ReadTimeout) || e.Host != "127.0.0.1" || e.Reused {
				t.Fatalf("%+v, answered %q", e, got)
			}
			if !strings.Contains(got, "HTTP/1.1 502 ") && c.kind != backend.ReadTimeout {
				t.Errorf("answered %q", got)
			}
		})
	}
	a := &app{worker: newWorker(t, "http://127.0.0.1:1", nil)}
	newFront(t, a).ask(t, get+"\r\n")
	if e := a.failure(); e == nil || e.Kind != backend.Refused {
		t.Errorf("refused: %+v", e)
	}
	a.logged(t, "(111)Connection refused AH00957: http: attempt to connect to 127.0.0.1:1 (127.0.0.1:1) failed")
}

// What a member sends behind the last chunk is the answer's, for the logs and for clients of HTTP/2.
func TestTrailerOfAnAnswer(t *testing.T) {
	for _, body := range []string{"3\r\nabc\r\n0\r\nX-A: 1\r\nx-a: 2\r\n\r\n", "3\r\nabc\r\n<pause>0\r\nX-A: 1\r\n<pause>x-a: 2\r\n\r\n", "0\r\nX-A: 1\r\nx-a: 2\r\n\r\n"} {
		m := newMember(t, scripted(map[string]string{"x": ok + "Transfer-Encoding: chunked\r\n\r\n" + body}))
		got := make(chan string, 1)
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil), after: func(x *exchange.Exchange) { got <- x.Res.Trailer.Get("X-A") }}
		newFront(t, a).ask(t, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if v := <-got; v != "1, 2" {
			t.Errorf("%q: %q", body, v)
		}
	}
}

// What the head said of connection and body is there for the access log.
func TestWhatTheHeadSaid(t *testing.T) {
	for _, c := range []struct{ answer, fields, want string }{
		{ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n<pause>0\r\n\r\n", "Connection: close\r\n", "close true"},
		{ok + "Content-Length: 2\r\n\r\nok", "Connection: close\r\n", "close false"},
		{ok + "Content-Length: 2\r\n\r\nok", "Connection: Keep-Alive\r\n", "Keep-Alive false"},
		{ok + "Content-Length: 2\r\n\r\nok", "", " false"},
	} {
		m := newMember(t, scripted(map[string]string{"x": c.answer}))
		got := make(chan string, 2)
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil), after: func(x *exchange.Exchange) { got <- fmt.Sprint(x.Res.Persists, " ", x.Res.Chunked) }}
		f := newFront(t, a)
		f.ask(t, "GET /x HTTP/1.1\r\nHost: h\r\n"+c.fields+"\r\n"+"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if v := <-got; v != c.want {
			t.Errorf("%q: %q, want %q", c.fields, v, c.want)
		}
	}
}

// What the client sees of answers that are unusual.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ name, answer, version, want string }{
		{"fields that go", ok + "Connection: X-Named, x\r\nX-Named: 1\r\nX-A: 1\r\nKeep-Alive: t\r\nTE: x\r\nTrailer: x\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\n" +
			"Proxy-Connection: x\r\nProxy-Authentication-Info: 1\r\nContent-Length: 2\r\n\r\nok", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nX-A: 1\nProxy-Authentication-Info: 1\nContent-Length: 2\n\nok"},
		{"cookies come last", ok + "Set-Cookie: a\r\nX-A: 1\r\nSet-Cookie: b\r\nContent-Length: 2\r\nX-B: 2\r\n\r\nok", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nX-A: 1\nContent-Length: 2\nX-B: 2\nSet-Cookie: a\nSet-Cookie: b\n\nok"},
		{"dates", ok + "Expires: 0\r\nLast-Modified: Sun Nov  6 08:49:37 1994\r\nX: Sun Nov  6 08:49:37 1994\r\nContent-Length: 0\r\n\r\n", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nExpires: 0\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\nX: Sun Nov  6 08:49:37 1994\nContent-Length: 0\n\n"},
		{"warnings", ok + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nWarning: 110 a \"b\" \"Sun, 06 Nov 1994 08:49:38 GMT\", 111 c \"d\"\r\nContent-Length: 0\r\n\r\n", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nContent-Length: 0\nWarning: 111 c \"d\"\n\n"},
		{"bare line feeds, a fold, an empty line in front", "\nHTTP/1.1 200 OK\nX-F: one\n   two\nContent-Length: 2\n\nok", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nX-F: one   two\nContent-Length: 2\n\nok"},
		{"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nTransfer-Encoding: chunked\n\n5\nabcde\n0\n\n"},
		{"chunks for HTTP/1.0", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "1.0",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nConnection: close\n\nabc<EOF>"},
		{"no chunks at all", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nContent-Length: 0\n\n"},
		{"until close", ok + "\r\nok<close>", "1.1", "HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n"},
		{"too long", ok + "Content-Length: 2\r\n\r\nok and more", "1.1", "HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nContent-Length: 2\n\nok"},
		{"interim answers", "HTTP/1.1 103 Hints\r\nLink: a\r\nConnection: x\r\nContent-Length: 5\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok", "1.1",
			"HTTP/1.1 103 Hints\nLink: a\n\nHTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nContent-Length: 2\n\nok"},
		{"an upgrade that is offered, but not allowed", "HTTP/1.1 426 U\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno", "1.1",
			"HTTP/1.1 426 U\nDate: D\nServer: Apache/2.4.71\nContent-Length: 2\n\nno"},
		{"an upgrade that is offered", "HTTP/1.1 426 U\r\nUpgrade: foo\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno", "1.1",
			"HTTP/1.1 426 U\nDate: D\nServer: Apache/2.4.71\nContent-Length: 2\nUpgrade: foo\nConnection: Upgrade\n\nno"},
		{"a bad name", ok + "X-Sp : v\r\nContent-Length: 2\r\n\r\nok", "1.1",
			"HTTP/1.1 500 Internal Server Error\nDate: D\nServer: Apache/2.4.71\nContent-Length: 9\nConnection: close\n\nrefused \n<EOF>"},
		{"cut short", ok + "Content-Length: 5\r\n\r\nok<close>", "1.1", "HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nContent-Length: 5\n\nok<EOF>"},
		{"cut short between chunks", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n<close>", "1.1",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nTransfer-Encoding: chunked\n\n2\nok\n<EOF>"},
		{"a bad chunk before anything", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "1.1",
			"HTTP/1.1 502 Bad Gateway\nDate: D\nServer: Apache/2.4.71\nConnection: close\n\nrefused \n<EOF>"},
		{"HEAD", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD",
			"HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nTransfer-Encoding: chunked\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				m := newMember(t, scripted(map[string]string{"x": c.answer}))
				a := &app{worker: newWorker(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Upgrade = "foo" })}
				f := start(t, a)
				request := "GET /x HTTP/" + c.version
				if c.version == "HEAD" {
					request = "HEAD /x HTTP/1.1"
				}
				if got := plain(f.ask(t, request+"\r\nHost: h\r\n\r\n")); got != c.want {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
			})
		})
	}
}

// A connection that its member has closed is never the client's problem, and no request comes twice.
func TestDeadConnections(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "after a while": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]int{}
			m := newMember(t, func(c net.Conn) {
				q, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				io.Copy(io.Discard, q.Body)
				text := fmt.Sprintf("[%s]", q.RequestURI)
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text) // and closes without a word
			})
			a := &app{worker: newWorker(t, "http://"+m.Addr, nil), srv: usualServer()}
			a.srv.MaxKeepAlive = 0
			f := newFront(t, a)
			c := f.dial(t)
			r := bufio.NewReader(c)
			for i := range 200 {
				path := fmt.Sprintf("/%d", i)
				fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", path)
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatalf("%d: %v %+v", i, err, a.failure())
				}
				b, _ := io.ReadAll(res.Body)
				seen[string(b)]++
				if res.StatusCode != 200 && res.StatusCode != 502 {
					t.Errorf("%d: %d %s", i, res.StatusCode, b)
				}
				time.Sleep(wait)
				if res.Close {
					t.Fatal("closed")
				}
			}
			if len(seen) < 195 { // a segment may cross another on its way
				t.Errorf("%d of 200 were answered: %+v", len(seen), a.failure())
			}
		})
	}
}
