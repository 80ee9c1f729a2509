package http1

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// says answers with what the request was, its body read to the end.
func says(_ context.Context, x *exchange.Exchange) {
	body, err := io.ReadAll(x.Req.Body)
	if err != nil {
		e := err.(*exchange.BodyError)
		local(x, int(e.Status), e.Error())
		return
	}
	local(x, 200, fmt.Sprintf("[%s %s %d %.30s]", x.Req.Method, x.Req.RawPath, len(body), body))
}

// bodies is the text after each head.
func bodies(got string) string {
	var b strings.Builder
	for got != "" {
		head, rest, ok := strings.Cut(got, "\r\n\r\n")
		if !ok {
			b.WriteString(got)
			break
		}
		if strings.HasPrefix(head, "HTTP/1.1 100") {
			b.WriteString("(100)")
			got = rest
			continue
		}
		end := strings.Index(rest, "HTTP/1.1 ")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(rest[:end])
		got = rest[end:]
	}
	return b.String()
}

// However a request's bytes are cut, the answers are the same.
func TestRequestsInPieces(t *testing.T) {
	const two = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" +
		"POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n" +
		"\r\nGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	const want = "[POST /1 5 hello][POST /2 5 abcde][GET /3 0 ]<EOF>"
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: says})
		var all sync.WaitGroup
		for cut := 0; cut < len(two); cut += 3 {
			all.Add(1)
			go func() {
				defer all.Done()
				c, err := net.Dial("tcp", f.addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				io.WriteString(c, two[:cut])
				time.Sleep(30 * time.Millisecond)
				io.WriteString(c, two[cut:])
				if got := bodies(readAll(c)); got != want {
					t.Errorf("cut at %d: %q", cut, got)
				}
			}()
		}
		all.Wait()
	})
}

func TestByteByByte(t *testing.T) {
	f := newFront(t, &app{serve: says})
	c := f.dial(t)
	for _, b := range []byte("POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n") {
		c.Write([]byte{b})
		time.Sleep(time.Millisecond)
	}
	if got := bodies(readAll(c)); got != "[POST /1 3 abc]" {
		t.Errorf("got %q", got)
	}
}

// Bodies that do not fit into any buffer.
func TestLongBodies(t *testing.T) {
	text := strings.Repeat("0123456789", 100_000)
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
			b, err := io.ReadAll(x.Req.Body)
			local(x, 200, fmt.Sprint(len(b), string(b) == text, err, x.Req.Body.Taken()))
		}})
		var chunks strings.Builder
		for rest := text; rest != ""; {
			n := min(len(rest), 7919)
			fmt.Fprintf(&chunks, "%x\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
		for _, body := range []string{
			"Content-Length: 1000000\r\n\r\n" + text, "Transfer-Encoding: chunked\r\n\r\n" + chunks.String() + "0\r\n\r\n",
		} {
			if got := bodies(f.ask(t, "PUT / HTTP/1.1\r\nHost: h\r\n"+body+get+"\r\n")); got != "1000000 true <nil> 10000000 false <nil> 0" {
				t.Errorf("%.20q: %q", body, got)
			}
		}
	})
}

// What nobody read of a body is passed over, or ends the connection.
func TestUnreadBodies(t *testing.T) {
	ignore := func(_ context.Context, x *exchange.Exchange) { local(x, 200, "["+x.Req.RawPath+"]") }
	for _, c := range []struct{ name, first, want string }{
		{"short", "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "[/1][/2]"},
		{"chunked", "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "[/1][/2]"},
		{"of some length", "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("x", 200000), "[/1][/2]"},
		{"long", "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\n" + strings.Repeat("x", 600000), "[/1]<EOF>"},
		{"chunked and long", "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 150) + "0\r\n\r\n",
			"[/1]<EOF>"},
		{"that a client waits to send", "POST /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "[/1]<EOF>"},
		{"malformed", "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n", "[/1]<EOF>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				f := start(t, &app{serve: ignore})
				second := "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
				if got := bodies(f.ask(t, c.first+second)); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestContinue(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: says})
		c := f.dial(t)
		io.WriteString(c, "POST /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		if got := readAll(c); got != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Fatalf("got %q", got)
		}
		io.WriteString(c, "hello")
		if got := bodies(readAll(c)); got != "[POST /1 5 hello]" {
			t.Errorf("got %q", got)
		}
		if got := bodies(f.ask(t, "POST /1 HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")); got != "[POST /1 5 hello]<EOF>" {
			t.Errorf("HTTP/1.0: %q", got)
		}
	})
}

// After a request that is refused nothing is read as a request any more.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, request, status string }{
		{"malformed line", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
		{"bare line feeds", "GET / HTTP/1.1\nHost: h\n\n", "400"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "400"},
		{"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"a line without an end", "GET /" + strings.Repeat("x", 9000), "414"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
		{"expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\nContent-Length: 5\r\n\r\n", "417"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				f := start(t, &app{serve: says})
				got := f.ask(t, c.request+"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
				if !strings.HasPrefix(got, "HTTP/1.1 "+c.status+" ") || strings.Count(got, "HTTP/1.1 ") != 1 || !strings.HasSuffix(got, "<EOF>") {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// A length beside a coding does not count, and the connection ends.
func TestCodingGoesBeforeLength(t *testing.T) {
	f := newFront(t, &app{serve: says})
	got := f.ask(t, "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"+get+"\r\n")
	if bodies(got) != "[POST /1 5 hello]<EOF>" || !strings.Contains(got, "Connection: close") {
		t.Errorf("got %q", got)
	}
}

func TestMaxKeepAlive(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		srv := usualServer()
		srv.MaxKeepAlive = 2
		f := start(t, &app{srv: srv, serve: says})
		got := f.ask(t, strings.Repeat(get+"Connection: keep-alive\r\n\r\n", 5))
		if strings.Count(got, "HTTP/1.1 200") != 3 || !strings.Contains(got, "timeout=5, max=2\r\n") || !strings.Contains(got, "timeout=5, max=1\r\n") ||
			strings.Count(got, "Connection: close") != 1 || !strings.HasSuffix(got, "<EOF>") {
			t.Errorf("got %q", got)
		}
		off := usualServer()
		off.KeepAlive = false
		if got := start(t, &app{srv: off, serve: says}).ask(t, get+"\r\n"+get+"\r\n"); strings.Count(got, "HTTP/1.1 200") != 1 || !strings.HasSuffix(got, "<EOF>") {
			t.Errorf("KeepAlive Off: %q", got)
		}
	})
}

// A client that has sent its request and ended its direction still gets its answer.
func TestHalfClosedClients(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
			x.Block()
			time.Sleep(20 * time.Millisecond)
			says(ctx, x)
		}})
		for request, want := range map[string]string{
			get + "\r\n":                "[GET / 0 ]<EOF>",
			get + "\r\n" + get + "\r\n": "[GET / 0 ][GET / 0 ]<EOF>",
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel": "request body: unexpected EOF<EOF>",
			"GET / HTTP/1.1\r\nHo": "refused \n<EOF>",
			"GET / HT":             "<EOF>",
			"":                     "<EOF>",
		} {
			c := f.dial(t)
			io.WriteString(c, request)
			c.CloseWrite()
			began := time.Now()
			if got := bodies(readAll(c)); got != want {
				t.Errorf("%q: %q, want %q", request, got, want)
			}
			if d := time.Since(began); d > time.Second {
				t.Errorf("%q: it took %v", request, d)
			}
		}
	})
}

// A panic ends its exchange, and the server goes on.
func TestPanic(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		var n atomic.Int32
		f := start(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
			if n.Add(1) == 1 {
				panic("on purpose")
			}
			says(ctx, x)
		}})
		if got := f.ask(t, get+"\r\n"); !strings.HasPrefix(got, "HTTP/1.1 500 ") || !strings.HasSuffix(got, "<EOF>") {
			t.Errorf("got %q", got)
		}
		if got := bodies(f.ask(t, get+"\r\n")); got != "[GET / 0 ]" {
			t.Errorf("then %q", got)
		}
	})
}

// The access log sees what was sent and received.
func TestBytesAreCounted(t *testing.T) {
	type sums struct {
		read, wrote, sent int64
		kept              bool
	}
	got := make(chan sums, 10)
	a := &app{serve: says, after: func(x *exchange.Exchange) { got <- sums{x.Res.Read, x.Res.Wrote, x.Res.Sent, x.Res.Kept} }}
	f := newFront(t, a)
	for _, request := range []string{
		"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
		"POST /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	} {
		answer := f.ask(t, request)
		kept := !strings.HasSuffix(answer, "<EOF>")
		answer = strings.TrimSuffix(answer, "<EOF>")
		want := sums{int64(len(request)), int64(len(answer)), int64(len(bodies(answer))), kept}
		if s := <-got; s != want {
			t.Errorf("%+v, want %+v", s, want)
		}
	}
	s := f.Totals() // an exchange is counted just after it is logged
	for end := time.Now().Add(10 * time.Second); s.Requests < 2 && time.Now().Before(end); s = f.Totals() {
		time.Sleep(time.Millisecond)
	}
	if s.Requests != 2 || s.Bytes == 0 {
		t.Errorf("totals %+v", s)
	}
}
