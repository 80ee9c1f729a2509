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
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// recorder is a member that takes down the head of a request and its body, decoded.
type recorder struct {
	*backendtest.Member
	heads, bodies chan string
}

// newRecorder is a recorder that answers 200, after 100 Continue where it is expected and with says so.
func newRecorder(t *testing.T, with bool) *recorder {
	r := &recorder{heads: make(chan string, 10), bodies: make(chan string, 10)}
	r.Member = newMember(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			head, err := readHead(in)
			if err != nil {
				return
			}
			r.heads <- head
			if with && strings.Contains(head, "Expect:") {
				io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			body, err := readBody(in, head)
			if err != nil {
				body = err.Error()
			}
			r.bodies <- body
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
				return
			}
		}
	})
	return r
}

func readHead(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n\r\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

func readBody(in *bufio.Reader, head string) (string, error) {
	var n int
	if _, text, ok := strings.Cut(head, "Content-Length: "); ok {
		fmt.Sscan(text, &n)
		b := make([]byte, n)
		_, err := io.ReadFull(in, b)
		return string(b), err
	}
	var out strings.Builder
	for strings.Contains(head, "Transfer-Encoding: chunked") {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if _, err := fmt.Sscanf(line, "%x\r\n", &n); err != nil {
			return "", err
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(in, b); err != nil {
			return "", err
		}
		if n == 0 {
			break
		}
		out.Write(b[:n])
	}
	return out.String(), nil
}

// in takes what a recorder has noted.
func in(t *testing.T, c chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(3 * time.Second):
		t.Fatal("nothing was noted")
		return ""
	}
}

// chunked is a body in chunks of a size.
func chunked(body string, size int) string {
	var b strings.Builder
	for body != "" {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// How bodies reach a member.
func TestUploads(t *testing.T) {
	big := strings.Repeat("0123456789", 30_000)
	mid := big[:20_000]
	const post = "POST /x HTTP/1.1\r\nHost: h\r\n"
	length := func(s string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(s)) }
	const te = "Transfer-Encoding: chunked\r\n"
	for _, c := range []struct {
		name, head, raw, body string
		dress                 func(*exchange.Exchange)
		framing               string // how the member learns the length
	}{
		{"none", "", "", "", nil, ""},
		{"of length 0", length(""), "", "", nil, length("")},
		{"short", length("hello"), "hello", "hello", nil, length("hello")},
		{"more than one buffer", length(mid), mid, mid, nil, length(mid)},
		{"long", length(big), big, big, nil, length(big)},
		{"chunked and short", te, chunked("hello", 2), "hello", nil, length("hello")},
		{"chunked and empty", te, chunked("", 2), "", nil, length("")},
		{"chunked, within the prefetch", te, chunked(big[:16000], 3000), big[:16000], nil, length(big[:16000])},
		{"chunked and long", te, chunked(big, 7919), big, nil, te},
		{"chunked and long, with proxy-sendcl", te, chunked(big, 7919), big, func(x *exchange.Exchange) { x.Out.Spool = true }, length(big)},
		{"chunked, in HTTP/1.0", te, chunked(mid, 900), mid, func(x *exchange.Exchange) { x.Out.Minor, x.Out.Bare, x.Out.Spool = 0, true, true }, length(mid)},
		{"with ping=", length(big), big, big, func(x *exchange.Exchange) { x.Out.Ping = true }, "Expect: 100-Continue\r\n" + length(big)},
		{"chunked with ping=", te, chunked(big, 5000), big, func(x *exchange.Exchange) { x.Out.Ping = true }, "Expect: 100-Continue\r\n" + te},
		{"short with ping=", length("hello"), "hello", "hello", func(x *exchange.Exchange) { x.Out.Ping = true }, "Expect: 100-Continue\r\n" + length("hello")},
	} {
		t.Run(c.name, func(t *testing.T) {
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				m := newRecorder(t, true)
				f := start(t, &app{worker: newWorker(t, "http://"+m.Addr, nil), dress: c.dress})
				conn := f.dial(t)
				go func() { // in two pieces, so that reading has to wait
					all := post + c.head + "\r\n" + c.raw
					io.WriteString(conn, all[:len(all)*2/3])
					time.Sleep(20 * time.Millisecond)
					io.WriteString(conn, all[len(all)*2/3:])
				}()
				head, body := in(t, m.heads), in(t, m.bodies)
				want := "\r\nX-Forwarded-For: 127.0.0.1\r\n" + c.framing
				if !strings.HasPrefix(head, "POST /x HTTP/1.") || !strings.Contains(head, want) || strings.Count(head, "Content-Length")+strings.Count(head, "Transfer-Encoding") != strings.Count(c.framing, "\r\n")-strings.Count(c.framing, "Expect") {
					t.Errorf("head %q, want %q", head, want)
				}
				if body != c.body {
					t.Errorf("body of %d bytes, want %d", len(body), len(c.body))
				}
				if got := bodies(readAll(conn)); got != "ok" {
					t.Errorf("answered %q", got)
				}
			})
		})
	}
}

// The head that a member gets, to the byte.
func TestOutgoingHead(t *testing.T) {
	for _, c := range []struct {
		dress func(*exchange.Exchange)
		set   func(*balancer.WorkerSettings)
		want  string
	}{
		{nil, nil, "GET /x HTTP/1.1\r\nHost: member.test\r\nA: 1\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: Keep-Alive\r\n\r\n"},
		{func(x *exchange.Exchange) { x.Out.Close = true }, nil, "GET /x HTTP/1.1\r\nHost: member.test\r\nA: 1\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n"},
		{nil, func(s *balancer.WorkerSettings) { s.DisableReuse = balancer.Some(true) },
			"GET /x HTTP/1.1\r\nHost: member.test\r\nA: 1\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n"},
		{func(x *exchange.Exchange) { x.Out.Minor, x.Out.Bare = 0, true }, nil, "GET /x HTTP/1.0\r\nHost: member.test\r\nA: 1\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"},
		{func(x *exchange.Exchange) { x.Out.Upgrade = "foo" }, nil,
			"GET /x HTTP/1.1\r\nHost: member.test\r\nA: 1\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"},
	} {
		m := newRecorder(t, false)
		f := newFront(t, &app{worker: newWorker(t, "http://"+m.Addr, c.set), dress: c.dress})
		f.ask(t, "GET /x HTTP/1.1\r\nHost: h\r\nA: 1\r\n\r\n")
		if got := in(t, m.heads); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Nothing of a request line or field can begin a line of its own.
func TestOutgoingHeadIsChecked(t *testing.T) {
	for _, dress := range []func(*exchange.Exchange){
		func(x *exchange.Exchange) { x.Out.Target = "/x HTTP/1.1\r\nEvil: 1" }, func(x *exchange.Exchange) { x.Out.Target = "/x y" },
		func(x *exchange.Exchange) { x.Out.Host = "a\r\nEvil: 1" }, func(x *exchange.Exchange) { x.Out.Header.Add("A", "b\r\nEvil: 1") },
		func(x *exchange.Exchange) { x.Out.Method = "GET /evil" }, func(x *exchange.Exchange) { x.Out.Header.Add("A\r\nEvil: 1", "b") },
	} {
		m := newRecorder(t, false)
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil), dress: dress}
		newFront(t, a).ask(t, get+"Connection: close\r\n\r\n")
		select {
		case head := <-m.heads:
			t.Errorf("sent %q", head)
		default:
		}
	}
}

func TestExpectIsPassedOn(t *testing.T) {
	m := newRecorder(t, true)
	f := newFront(t, &app{worker: newWorker(t, "http://"+m.Addr, nil)})
	c := f.dial(t)
	io.WriteString(c, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	if got := readAll(c); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("got %q", got)
	}
	if head := in(t, m.heads); !strings.Contains(head, "\r\nExpect: 100-continue\r\nContent-Length: 5\r\n") {
		t.Errorf("head %q", head)
	}
	io.WriteString(c, "hello")
	if got := bodies(readAll(c)); got != "ok" || in(t, m.bodies) != "hello" {
		t.Errorf("got %q", got)
	}
}

// A final answer in place of 100 by a member that closes: the body stays where it is, and both connections end.
func TestExpectRefused(t *testing.T) {
	refuse := newMember(t, func(c net.Conn) {
		if head, _ := readHead(bufio.NewReader(c)); strings.Contains(head, "Expect") {
			io.WriteString(c, "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnope")
		}
		io.Copy(io.Discard, c)
	})
	a := &app{worker: newWorker(t, "http://"+refuse.Addr, nil)}
	f := newFront(t, a)
	got := f.ask(t, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 413 No\r\n") || !strings.HasSuffix(got, "nope<EOF>") || !strings.Contains(got, "Connection: close") {
		t.Errorf("got %q", got)
	}
	if n := backend.Idle(a.worker); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
}

// A member that keeps its connection gets a short body behind its final answer, so that it is kept.
func TestExpectAnswered(t *testing.T) {
	got := make(chan string, 1)
	m := newMember(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		if head, _ := readHead(r); strings.Contains(head, "Expect") {
			io.WriteString(c, "HTTP/1.1 401 No\r\nContent-Length: 4\r\n\r\nnope")
		}
		b := make([]byte, 5)
		io.ReadFull(r, b)
		got <- string(b)
		io.Copy(io.Discard, c)
	})
	a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
	c := newFront(t, a).dial(t)
	io.WriteString(c, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	if got := readAll(c); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("got %q", got)
	}
	io.WriteString(c, "hello")
	if answer := readAll(c); !strings.HasPrefix(answer, "HTTP/1.1 401 No\r\n") || in(t, got) != "hello" {
		t.Errorf("got %q", answer)
	}
	if n := backend.Idle(a.worker); n != 1 {
		t.Errorf("%d connections are kept", n)
	}
}

// A member that does not say 100 in time is given up; nothing of the body was lost by that.
func TestPingTimeout(t *testing.T) {
	silent := newMember(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	m := newRecorder(t, true)
	other := newWorker(t, "http://"+m.Addr, nil)
	a := &app{worker: newWorker(t, "http://"+silent.Addr, func(s *balancer.WorkerSettings) { s.Ping = balancer.Some(100 * time.Millisecond) }),
		dress: func(x *exchange.Exchange) { x.Out.Ping, x.Out.Expect = true, false }}
	a.again = other
	f := newFront(t, a)
	body := strings.Repeat("x", 50_000)
	began := time.Now()
	got := bodies(f.ask(t, fmt.Sprintf("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)))
	if d := time.Since(began); d > time.Second {
		t.Errorf("it took %v", d)
	}
	if e := a.failure(); e == nil || e.Kind != backend.NoContinue || !e.Timeout || e.Sent {
		t.Errorf("failure %+v", e)
	}
	if got != "ok" || in(t, m.bodies) != body {
		t.Errorf("the other member: %q", got)
	}
}

// A member that refuses connections costs another attempt nothing of the body.
func TestFailoverKeepsTheBody(t *testing.T) {
	for _, n := range []int{10, 10_000, 300_000} {
		for _, te := range []bool{false, true} {
			m := newRecorder(t, true)
			a := &app{worker: newWorker(t, "http://127.0.0.1:1", nil), again: newWorker(t, "http://"+m.Addr, nil)}
			f := newFront(t, a)
			body := strings.Repeat("x", n)
			request := fmt.Sprintf("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", n, body)
			if te {
				request = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, 1000)
			}
			if got := bodies(f.ask(t, request)); got != "ok" || in(t, m.bodies) != body {
				t.Errorf("%d bytes, chunked %v: %q", n, te, got)
			}
		}
	}
}

// A member that answers before it has the whole body is heard, whether it reads on, stops, or closes.
func TestEarlyAnswers(t *testing.T) {
	const answer = "HTTP/1.1 413 Too Much\r\nContent-Length: 4\r\n\r\nstop"
	for name, after := range map[string]func(net.Conn){
		"reads on": func(c net.Conn) { io.Copy(io.Discard, c) },
		"stops":    func(c net.Conn) { time.Sleep(2 * time.Second) },
		"closes":   func(c net.Conn) { time.Sleep(50 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMember(t, func(c net.Conn) {
				readHead(bufio.NewReaderSize(c, 16))
				io.WriteString(c, answer)
				after(c)
			})
			a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
			f := newFront(t, a)
			c := f.dial(t)
			go func() {
				io.WriteString(c, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\n")
				p := make([]byte, 100_000)
				for range 500 {
					if _, err := c.Write(p); err != nil {
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
			p := make([]byte, 4096)
			c.SetReadDeadline(time.Now().Add(3 * time.Second))
			n, err := io.ReadAtLeast(c, p, 60)
			if got := string(p[:n]); err != nil || !strings.HasPrefix(got, "HTTP/1.1 413 ") {
				t.Fatalf("%q, %v, %+v", got, err, a.failure())
			}
			if backend.Idle(a.worker) != 0 {
				t.Error("the connection was kept")
			}
		})
	}
}

// A client that does not finish its body costs its own request only.
func TestBrokenUploads(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"cut short", "Content-Length: 5\r\n\r\nhel", "400"},
		{"cut short beyond the prefetch", "Content-Length: 50000\r\n\r\n" + strings.Repeat("x", 40_000), "400"},
		{"a bad chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX", "400"},
		{"a huge chunk", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "413"},
	} {
		m := newRecorder(t, true)
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
		f := newFront(t, a)
		conn := f.dial(t)
		io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: h\r\n"+c.raw)
		conn.CloseWrite()
		readAll(conn)
		e := a.failure()
		if e == nil || e.Kind != backend.ClientBody {
			t.Errorf("%s: %+v", c.name, e)
			continue
		}
		if b, ok := e.Err.(*exchange.BodyError); !ok || fmt.Sprint(int(b.Status)) != c.want {
			t.Errorf("%s: %v", c.name, e.Err)
		}
	}
}

// A member that ends while the client still sends its body may have lost patience with the client: the
// failure says so. When all of the body is here it does not.
func TestMemberEndsUnderTheBody(t *testing.T) {
	for name, c := range map[string]struct {
		body    string // beyond what is read before a connection is taken
		length  int
		partial bool
	}{
		"half of it": {strings.Repeat("x", 40000), 80000, true},
		"all of it":  {"x", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMember(t, func(c net.Conn) { http.ReadRequest(bufio.NewReaderSize(c, 16)) }) // and closes
			a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
			f := newFront(t, a)
			conn := f.dial(t)
			fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", c.length, c.body)
			for end := time.Now().Add(10 * time.Second); a.failure() == nil; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("no failure")
				}
				if c.partial {
					io.WriteString(conn, "x")
				}
			}
			if e := a.failure(); e.Partial != c.partial || e.Kind != backend.WriteBody && e.Kind != backend.WriteHead && e.Kind != backend.EarlyClose {
				t.Errorf("partial %v, kind %d: %v", e.Partial, e.Kind, e)
			}
		})
	}
}
