package upstream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	http1client "balancerd/proxy/http1/client"
	"balancerd/proxy/mod/proxy/proxytest"
	"balancerd/testdata/ports"
)

// member is an origin server on a loopback socket. Each request is told to answer, with the
// connection, which answers in bytes; it returns whether the connection goes on.
type member struct {
	addr   string
	l      net.Listener
	mu     sync.Mutex
	seen   []string // heads and bodies, as they came
	opened int
}

func newMember(t *testing.T, answer func(c net.Conn, r *http.Request) bool) *member {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m := &member{addr: l.Addr().String(), l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.opened++
			m.mu.Unlock()
			go m.serve(c, answer)
		}
	}()
	return m
}

func (m *member) serve(c net.Conn, answer func(net.Conn, *http.Request) bool) {
	defer c.Close()
	var raw strings.Builder
	in := bufio.NewReader(io.TeeReader(c, &raw))
	for {
		raw.Reset()
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if r.Header.Get("Expect") == "" {
			io.Copy(io.Discard, r.Body)
		}
		m.mu.Lock()
		m.seen = append(m.seen, raw.String())
		m.mu.Unlock()
		if !answer(c, r) {
			return
		}
	}
}

// requests is what the member saw.
func (m *member) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.seen...)
}

// connections is how many were opened to it.
func (m *member) connections() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opened
}

// says answers 200 with a text.
func says(text string) func(net.Conn, *http.Request) bool {
	return func(c net.Conn, _ *http.Request) bool {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		return true
	}
}

// dead is an address where nobody listens until the test's end.
func dead(t *testing.T) string {
	return fmt.Sprint("127.0.0.1:", ports.Reserve(t))
}

// real is a rig whose requests go out over sockets.
func real(t *testing.T, conf string) *proxytest.Rig {
	b := http1client.NewBackend()
	table := backend.Table{{Name: "http", Backend: b}, {Name: "ws", Backend: b}, {Name: "https", TLS: true, Backend: b}}
	return proxytest.New(t, conf, func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
		return table.RoundTrip(context.Background(), w, x, c)
	})
}

// upload is a request's body from memory.
type upload struct {
	text  string
	taken int64
}

func (u *upload) Read(p []byte) (int, error) {
	if u.text == "" {
		return 0, io.EOF
	}
	n := copy(p, u.text)
	u.Discard(n)
	return n, nil
}
func (u *upload) Buffered() []byte { return []byte(u.text) }
func (u *upload) Discard(n int)    { u.text, u.taken = u.text[n:], u.taken+int64(n) }
func (u *upload) Taken() int64     { return u.taken }

func send(t testing.TB, r *proxytest.Rig, text, body string) *exchange.Exchange {
	x := proxytest.Request(text)
	if body != "" {
		x.Req.Body = &upload{text: body}
	}
	r.Site.Serve(t.Context(), x)
	return x
}

func TestRequestOnTheWire(t *testing.T) {
	m := newMember(t, says("hello"))
	r := real(t, "<Proxy balancer://c>\nBalancerMember http://"+m.addr+"/ctx\n</Proxy>\nProxyPass /app balancer://c/in\n")
	for range 2 {
		x := send(t, r, "GET /app/a%20b?q=1 HTTP/1.1\nHost: front:99\nAccept: a/b\nConnection: close, X-Secret\nX-Secret: 1", "")
		if got := proxytest.Body(x); got != "hello" || x.Res.Status != 200 || !x.Res.Proxied {
			t.Errorf("%d %q\n%s", x.Res.Status, got, r.Log.Take())
		}
		r.Finish(x)
	}
	want := "GET /ctx/in/a%20b?q=1 HTTP/1.1\r\nHost: " + m.addr + "\r\nAccept: a/b\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: front:99\r\nX-Forwarded-Server: localhost\r\nConnection: Keep-Alive\r\n\r\n"
	for _, got := range m.requests() {
		if got != want {
			t.Errorf("%q\nwant\n%q", got, want)
		}
	}
	if m.connections() != 1 || len(m.requests()) != 2 {
		t.Errorf("%d requests on %d connections", len(m.requests()), m.connections())
	}
}

// Bodies of any size reach the member that takes over, whole and once.
func TestBodyFailsOver(t *testing.T) {
	for i, n := range []int{10, 10000, 300000} {
		m := newMember(t, says("ok"))
		r := real(t, "<Proxy balancer://c>\nBalancerMember http://"+dead(t)+" retry=600\nBalancerMember http://"+m.addr+"\n</Proxy>\nProxyPass / balancer://c/\n")
		text := strings.Repeat("z", n)
		framing := fmt.Sprintf("Content-Length: %d", n)
		if i == 1 {
			framing = "Transfer-Encoding: chunked"
		}
		x := send(t, r, "POST /p HTTP/1.1\n"+framing, text)
		if got := proxytest.Body(x); got != "ok" {
			t.Errorf("%d: %d %q", n, x.Res.Status, got)
		}
		r.Finish(x)
		if seen := m.requests(); len(seen) != 1 || strings.Count(seen[0], "z") != n {
			t.Errorf("%d: %d requests", n, len(seen))
		}
		if log := r.Log.Take(); !strings.Contains(log, "AH00957") || !strings.Contains(log, "AH00959") || !strings.Contains(log, "AH01114") {
			t.Error(log)
		}
	}
}

// A request that was sent is never sent again.
func TestNoReplay(t *testing.T) {
	drop := func(net.Conn, *http.Request) bool { return false }
	a, b := newMember(t, drop), newMember(t, drop)
	r := real(t, "<Proxy balancer://c>\nBalancerMember http://"+a.addr+"\nBalancerMember http://"+b.addr+"\n</Proxy>\nProxyPass / balancer://c/\n")
	x := send(t, r, "POST /p HTTP/1.1\nContent-Length: 3", "abc")
	r.Finish(x)
	if n := len(a.requests()) + len(b.requests()); x.Res.Status != 502 || x.Res.Reason != "Proxy Error" || n != 1 {
		t.Errorf("%d %s, %d deliveries", x.Res.Status, x.Res.Reason, n)
	}
	if !strings.Contains(r.Log.Take(), "AH00898: Error reading from remote server returned by /p") {
		t.Error("the log does not say so")
	}
}

func TestAnswersOverSockets(t *testing.T) {
	answers := map[string]string{
		"/go":      "HTTP/1.1 302 Found\r\nLocation: http://%s/there\r\nSet-Cookie: a=1; path=/in\r\nContent-Length: 0\r\n\r\n",
		"/corrupt": "HTTP/2.0 200 OK\r\n\r\n",
		"/head":    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"/oops":    "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\nX-Lost: 1\r\n\r\nown",
		"/switch":  "HTTP/1.1 101 Switching\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n",
	}
	m := newMember(t, func(c net.Conn, r *http.Request) bool {
		text := answers[r.URL.Path]
		if strings.Contains(text, "%s") {
			text = fmt.Sprintf(text, r.Host)
		}
		io.WriteString(c, text)
		return strings.Contains(text, "Content-Length")
	})
	r := real(t, "ProxyErrorOverride On\nProxyVia On\nProxyPassReverse / http://"+m.addr+"/\nProxyPassReverseCookiePath /in /out\nProxyPass / http://"+m.addr+"/ upgrade=websocket\n")
	for _, c := range []struct {
		request        string
		status         int
		reason, header string
	}{
		{"GET /go HTTP/1.1\nHost: h:81", 302, "Found", "Location: http://h:81/there|Set-Cookie: a=1; path=/out|Via: 1.1 localhost:81"},
		{"GET /corrupt HTTP/1.1", 502, "Proxy Error", ""},
		{"GET /head HTTP/1.1", 502, "", ""},
		{"GET /oops HTTP/1.1", 500, "Oops", ""},
		{"GET /switch HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket", 502, "Proxy Error", ""},
	} {
		x := send(t, r, c.request, "")
		proxytest.Body(x)
		var fields []string
		for _, f := range x.Res.Header.F {
			if c.header != "" && f.Name != "Content-Length" {
				fields = append(fields, f.Name+": "+f.Value)
			}
		}
		if x.Res.Status != c.status || x.Res.Reason != c.reason || strings.Join(fields, "|") != c.header || x.Res.Header.Has("X-Lost") {
			t.Errorf("%s: %d %s %v", c.request, x.Res.Status, x.Res.Reason, x.Res.Header.F)
		}
		r.Finish(x)
	}
}

// A request that had to wait for a member has the whole timeout= with it, on a kept connection too.
func TestWholeTimeoutAfterWaiting(t *testing.T) {
	m := newMember(t, func(c net.Conn, r *http.Request) bool {
		time.Sleep(50 * time.Millisecond)
		return says("ok")(c, r)
	})
	r := real(t, "<Proxy balancer://c>\nBalancerMember http://"+m.addr+" timeout=1\nProxySet timeout=5\n</Proxy>\nProxyPass / balancer://c/\n")
	for i := range 2 {
		x := proxytest.Request("GET / HTTP/1.1")
		x.Start = time.Now().Add(-3 * time.Second)
		r.Site.Serve(t.Context(), x)
		if got := proxytest.Body(x); got != "ok" {
			t.Errorf("%d: %d %s", i, x.Res.Status, r.Log.Take())
		}
		r.Finish(x)
	}
	if n := m.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// An overridden answer costs its connection, as in httpd; one that is passed on does not.
func TestOverrideGivesUpTheConnection(t *testing.T) {
	for conf, want := range map[string]int{"ProxyErrorOverride On\n": 3, "ProxyErrorOverride On 404\n": 1, "": 1} {
		m := newMember(t, func(c net.Conn, _ *http.Request) bool {
			io.WriteString(c, "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nown")
			return true
		})
		r := real(t, conf+"ProxyPass / http://"+m.addr+"/\n")
		for range 3 {
			x := send(t, r, "GET / HTTP/1.1", "")
			proxytest.Body(x)
			r.Finish(x)
		}
		if n := m.connections(); n != want {
			t.Errorf("%q: %d connections, want %d", conf, n, want)
		}
	}
}
