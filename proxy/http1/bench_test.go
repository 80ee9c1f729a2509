package http1

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"balancerd/proxy/internal/poison"
	"balancerd/testdata/linear"
)

// fixed answers each request, which must come in one piece, with the same bytes.
func fixed(answer string) func(net.Conn) {
	b := []byte(answer)
	return func(c net.Conn) {
		p := make([]byte, 64<<10)
		for {
			n, err := c.Read(p)
			if err != nil {
				return
			}
			for range bytes.Count(p[:n], []byte("\r\n\r\n")) {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}
	}
}

const smallAnswer = "HTTP/1.1 200 OK\r\nServer: member\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n" +
	"Connection: keep-alive\r\n\r\n0123456789abcdef"

const browser = "GET /index.html?a=b HTTP/1.1\r\nHost: front.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nCookie: JSESSIONID=abcdef.r1; theme=dark\r\nConnection: keep-alive\r\n\r\n"

// BenchmarkProxied is one plain proxied request over kept connections.
func BenchmarkProxied(b *testing.B) {
	for _, c := range []struct{ name, request string }{
		{"get", browser},
		{"post", "POST /form HTTP/1.1\r\nHost: front.test\r\nContent-Length: 11\r\n\r\na=1&b=2&c=3"},
	} {
		b.Run(c.name, func(b *testing.B) {
			answer := smallAnswer
			m := newMember(b, fixed(answer))
			a := &app{worker: newWorker(b, "http://"+m.Addr, nil), srv: usualServer()}
			a.srv.MaxKeepAlive = 0
			f := newFront(b, a)
			n := oneWay(b, f.addr, c.request)
			b.ReportAllocs()
			for b.Loop() {
				n()
			}
		})
	}
}

// oneWay opens a connection and returns a function that asks once.
func oneWay(b testing.TB, addr, request string) func() {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	q, p := []byte(request), make([]byte, 128<<10)
	return func() {
		c.Write(q)
		for got := 0; !bytes.HasSuffix(p[:got], []byte("abcdef")); {
			n, err := c.Read(p[got:])
			if got += n; err != nil {
				b.Fatalf("%v after %q", err, p[:got])
			}
		}
	}
}

// TestNoAllocations: a plain proxied request over kept connections costs none.
func TestNoAllocations(t *testing.T) {
	if poison.On {
		t.Skip("pools keep nothing")
	}
	if linear.Race {
		t.Skip("the race detector allocates")
	}
	for _, request := range []string{browser, "POST /form HTTP/1.1\r\nHost: front.test\r\nContent-Length: 11\r\n\r\na=1&b=2&c=3"} {
		m := newMember(t, fixed(smallAnswer))
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil), srv: usualServer()}
		a.srv.MaxKeepAlive = 0
		f := newFront(t, a)
		ask := oneWay(t, f.addr, request)
		for range 100 {
			ask()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 1000 {
			ask()
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > 200 { // a second's Date, the runtime's own
			t.Errorf("%.20q: %d allocations for 1000 requests", request, n)
		}
	}
}

// TestLargeHeads: a response's head of 11 or 54 KiB goes through as it came, and leaves next to nothing to the collector
// of garbage. (A GC now and then empties the pools.)
func TestLargeHeads(t *testing.T) {
	for _, fields := range []int{12, 60} {
		var head strings.Builder
		for i := range fields {
			fmt.Fprintf(&head, "X-Big-%d: %s\r\n", i, strings.Repeat("v", 900))
		}
		m := newMember(t, fixed("HTTP/1.1 200 OK\r\n"+head.String()+"Content-Length: 16\r\n\r\n0123456789abcdef"))
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil), srv: usualServer()}
		a.srv.MaxKeepAlive = 0
		f := newFront(t, a)
		if got := f.ask(t, browser); !strings.Contains(got, head.String()) {
			t.Fatalf("%.100q: the fields are not all there", got)
		}
		ask := oneWay(t, f.addr, browser)
		for range 100 {
			ask()
		}
		if poison.On || linear.Race {
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 200 {
			ask()
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / 200; n > 8<<10 {
			t.Errorf("%d fields: %d bytes a request", fields, n)
		}
	}
}
