package http1

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// source is a body that comes in pieces, with an error at its end.
type source struct {
	pieces []string
	end    error
	held   []byte
	closed *atomic.Int32
}

func (s *source) Read(p []byte) (int, error) {
	for len(s.held) == 0 {
		if len(s.pieces) == 0 {
			return 0, s.end
		}
		s.held, s.pieces = []byte(s.pieces[0]), s.pieces[1:]
	}
	n := copy(p, s.held)
	s.held = s.held[n:]
	return n, nil
}

func (s *source) Buffered() []byte { return s.held }
func (s *source) Discard(n int)    { s.held = s.held[n:] }
func (s *source) Close() error {
	if s.closed != nil {
		s.closed.Add(1)
	}
	return nil
}

// local answers with a status, fields and a body of known length.
func local(x *exchange.Exchange, status int, body string, fields ...string) {
	x.Res.Status, x.Res.Local = status, true
	for i := 0; i < len(fields); i += 2 {
		x.Res.Header.Add(fields[i], fields[i+1])
	}
	x.Res.Text(body)
}

var dates = regexp.MustCompile(`Date: [^\r]*`)

// plain is what came over the wire with the date taken out.
func plain(s string) string {
	return strings.ReplaceAll(dates.ReplaceAllString(s, "Date: D"), "\r\n", "\n")
}

const get = "GET / HTTP/1.1\r\nHost: h\r\n"

// What goes out, byte by byte.
func TestHeads(t *testing.T) {
	const top = "HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\n"
	for _, c := range []struct {
		name, request string
		serve         func(*exchange.Exchange)
		want          string
	}{
		{"own page", get + "\r\n", func(x *exchange.Exchange) { local(x, 200, "hello", "Content-Type", "text/plain", "X-A", "1") },
			top + "X-A: 1\nContent-Length: 5\nContent-Type: text/plain\n\nhello"},
		{"fields that hold whatever happens come first", get + "\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello", "X-A", "1")
			x.Res.Always.Add("X-B", "2")
		}, top + "X-B: 2\nX-A: 1\nContent-Length: 5\n\nhello"},
		{"a member's Date, Server, and place of the length stay", get + "\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello", "X-A", "1", "Content-Length", "5", "Server", "m/1", "Content-Type", "a/b", "Date", "Tue")
			x.Res.Local, x.Res.Proxied, x.Res.Reason, x.Filename = false, true, "Fine", "proxy:http://m/"
		}, "HTTP/1.1 200 Fine\nDate: D\nServer: m/1\nX-A: 1\nContent-Length: 5\nContent-Type: a/b\n\nhello"},
		{"what holds whatever happens goes before a member's Server", get + "\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello", "Server", "m/1", "Keep-Alive", "k")
			x.Res.Always.Add("Server", "s/1")
			x.Res.Local, x.Res.Proxied, x.Filename = false, true, "proxy:http://m/"
		}, "HTTP/1.1 200 \nDate: D\nServer: s/1\nKeep-Alive: k\nContent-Length: 5\n\nhello"},
		{"HEAD of a member without a length", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello")
			x.Res.Local, x.Res.Proxied = false, true
		}, "HTTP/1.1 200 \nDate: D\nServer: Apache/2.4.71\n\n"},
		{"a member without a reason", get + "\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello")
			x.Res.Proxied = true
		}, "HTTP/1.1 200 \nDate: D\nServer: Apache/2.4.71\nContent-Length: 5\n\nhello"},
		{"an own Date is ours to make", get + "\r\n", func(x *exchange.Exchange) { local(x, 200, "", "Server", "x", "Date", "y") },
			top + "Content-Length: 0\n\n"},
		{"asked to keep the connection", get + "Connection: keep-alive\r\n\r\n", func(x *exchange.Exchange) { local(x, 200, "hello", "Content-Type", "a/b") },
			top + "Content-Length: 5\nKeep-Alive: timeout=5, max=100\nConnection: Keep-Alive\nContent-Type: a/b\n\nhello"},
		{"asked to close it", get + "Connection: close\r\n\r\n", func(x *exchange.Exchange) { local(x, 200, "hello") },
			top + "Content-Length: 5\nConnection: close\n\nhello<EOF>"},
		{"a status that closes", get + "\r\n", func(x *exchange.Exchange) { local(x, 503, "busy") },
			"HTTP/1.1 503 Service Unavailable\nDate: D\nServer: Apache/2.4.71\nContent-Length: 4\nConnection: close\n\nbusy<EOF>"},
		{"the answer wants to close", get + "\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello")
			x.Res.Close = true
		}, top + "Content-Length: 5\nConnection: close\n\nhello<EOF>"},
		{"so does its own field", get + "\r\n", func(x *exchange.Exchange) { local(x, 200, "hello", "Connection", "X-A, close") },
			top + "Content-Length: 5\nConnection: X-A, close\n\nhello<EOF>"},
		{"an upgrade that is offered", get + "\r\n", func(x *exchange.Exchange) { local(x, 426, "must", "Connection", "Upgrade", "Upgrade", "websocket") },
			"HTTP/1.1 426 Upgrade Required\nDate: D\nServer: Apache/2.4.71\nUpgrade: websocket\nContent-Length: 4\nConnection: Upgrade\n\nmust"},
		{"and close", get + "Connection: close\r\n\r\n", func(x *exchange.Exchange) { local(x, 426, "must", "Connection", "Upgrade", "Upgrade", "websocket") },
			"HTTP/1.1 426 Upgrade Required\nDate: D\nServer: Apache/2.4.71\nUpgrade: websocket\nContent-Length: 4\nConnection: Upgrade, close\n\nmust<EOF>"},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", func(x *exchange.Exchange) { local(x, 200, "hello") },
			top + "Content-Length: 5\nConnection: close\n\nhello<EOF>"},
		{"HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", func(x *exchange.Exchange) { local(x, 200, "hello") },
			top + "Content-Length: 5\nKeep-Alive: timeout=5, max=100\nConnection: Keep-Alive\n\nhello"},
		{"HTTP/0.9", "GET /\r\n", func(x *exchange.Exchange) { local(x, 200, "hello", "X-A", "1") }, "hello<EOF>"},
		{"unknown length", get + "\r\n", func(x *exchange.Exchange) { stream(x, io.EOF, "hel", "lo") },
			top + "Transfer-Encoding: chunked\n\n3\nhel\n2\nlo\n0\n\n"},
		{"unknown length, HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", func(x *exchange.Exchange) { stream(x, io.EOF, "hel", "lo") },
			top + "Connection: close\n\nhello<EOF>"},
		{"unknown length, HTTP/0.9", "GET /\r\n", func(x *exchange.Exchange) { stream(x, io.EOF, "hel", "lo") }, "hello<EOF>"},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", func(x *exchange.Exchange) { local(x, 200, "hello") }, top + "Content-Length: 5\n\n"},
		{"HEAD of nothing", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", func(x *exchange.Exchange) { local(x, 200, "") }, top + "\n"},
		{"HEAD of an error page", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", func(x *exchange.Exchange) {
			local(x, 404, "page")
			x.Res.ErrorPage = true
		}, "HTTP/1.1 404 Not Found\nDate: D\nServer: Apache/2.4.71\n\n"},
		{"HEAD of a chunked member", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", func(x *exchange.Exchange) {
			local(x, 200, "", "Transfer-Encoding", "chunked")
			x.Res.Length, x.Res.Body = -1, nil
		}, top + "Transfer-Encoding: chunked\n\n"},
		{"204", get + "\r\n", func(x *exchange.Exchange) { local(x, 204, "no", "Content-Length", "2", "Content-Type", "a/b") },
			"HTTP/1.1 204 No Content\nDate: D\nServer: Apache/2.4.71\n\n"},
		{"304", get + "\r\n", func(x *exchange.Exchange) { local(x, 304, "", "ETag", "x") },
			"HTTP/1.1 304 Not Modified\nDate: D\nServer: Apache/2.4.71\nETag: x\n\n"},
		{"Vary is one field", get + "\r\n", func(x *exchange.Exchange) { local(x, 200, "", "Vary", "A, b", "X-A", "1", "Vary", "B,c") },
			top + "Vary: A,b,c\nX-A: 1\nContent-Length: 0\n\n"},
		{"variables for old clients", get + "Connection: keep-alive\r\n\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello", "Vary", "a")
			x.Env.Set("force-no-vary", "1")
		}, "HTTP/1.0 200 OK\nDate: D\nServer: Apache/2.4.71\nContent-Length: 5\nConnection: close\n\nhello<EOF>"},
		{"nokeepalive", get + "\r\n", func(x *exchange.Exchange) {
			local(x, 200, "hello")
			x.Env.Set("nokeepalive", "1")
		}, top + "Content-Length: 5\nConnection: close\n\nhello<EOF>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				f := start(t, &app{serve: func(_ context.Context, x *exchange.Exchange) { c.serve(x) }})
				if got := plain(f.ask(t, c.request)); got != c.want {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
			})
		})
	}
}

// stream answers 200 with a body of unknown length.
func stream(x *exchange.Exchange, end error, pieces ...string) {
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Length, x.Res.Body = -1, &source{pieces: pieces, end: end}
}

// An answer that breaks off is never taken for a whole one.
func TestBrokenBodies(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name, request string
		length        int64
		end           error
		pieces        []string
		want          string
	}{
		{"before anything was sent", get, 9, broken, nil, "HTTP/1.1 502"}, // gather is a member's: here the head is out
		{"short", get, 9, io.EOF, []string{"half"}, "half<EOF>"},
		{"in the middle", get, 9, broken, []string{"half"}, "half<EOF>"},
		{"chunked", get, -1, broken, []string{"half"}, "4\r\nhalf\r\n<EOF>"},
		{"until close", "GET / HTTP/1.0\r\n", -1, broken, []string{"half"}, "half"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var closed atomic.Int32
			f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
				x.Res.Status, x.Res.Local = 200, true
				x.Res.Length, x.Res.Body = c.length, &source{pieces: c.pieces, end: c.end, closed: &closed}
			}})
			got := f.ask(t, c.request+"\r\n")
			if c.pieces == nil {
				if !strings.HasSuffix(got, "\r\n\r\n<EOF>") {
					t.Errorf("got %q", got)
				}
			} else if !strings.HasSuffix(got, c.want) {
				t.Errorf("got %q, want the end %q", got, c.want)
			}
			if closed.Load() != 1 {
				t.Errorf("the source was closed %d times", closed.Load())
			}
		})
	}
}

// A field that may not stand in a head costs the answer, not the client.
func TestFieldsAreChecked(t *testing.T) {
	for name, fields := range map[string][]string{
		"AH02430": {"X-A", "a\r\nSet-Cookie: evil"}, "AH02429": {"X Y", "a"}, "AH02428": {"", ""},
	} {
		a := &app{serve: func(_ context.Context, x *exchange.Exchange) { local(x, 200, "hello", fields...) }}
		f := newFront(t, a)
		got := f.ask(t, get+"\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 500 ") || strings.Contains(got, "evil") || !strings.HasSuffix(got, "refused \n<EOF>") {
			t.Errorf("%s: %q", name, got)
		}
		a.logged(t, name)
	}
	a := &app{serve: func(_ context.Context, x *exchange.Exchange) {
		local(x, 200, "hello")
		x.Res.Reason = "a\r\nX: evil"
	}}
	if got := newFront(t, a).ask(t, get+"\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 \r\nDate") {
		t.Errorf("reason: %q", got)
	}
}

func TestDropEndsWithoutAWord(t *testing.T) {
	logged := make(chan int, 1)
	f := newFront(t, &app{
		serve: func(_ context.Context, x *exchange.Exchange) { x.Res.Status, x.Res.Drop = 502, true },
		after: func(x *exchange.Exchange) { logged <- x.Res.Status },
	})
	if got := f.ask(t, get+"\r\n"); got != "<EOF>" {
		t.Errorf("got %q", got)
	}
	if status := <-logged; status != 502 {
		t.Errorf("the log has %d", status)
	}
}

func TestInterim(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
			var h exchange.Header
			h.Add("Link", "</a>")
			h.Add("Evil", "a\r\nB: c")
			x.Front.Interim(103, "", &h)
			x.Front.Continue("", nil)
			local(x, 200, "ok")
		}})
		got := plain(f.ask(t, get+"\r\n"))
		if !strings.HasPrefix(got, "HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 200 OK\n") {
			t.Errorf("got %q", got)
		}
		if got := f.ask(t, "GET / HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("an HTTP/1.0 client got %q", got)
		}
	})
}

// What has arrived goes out before the next wait.
func TestBodiesAreNotHeldBack(t *testing.T) {
	go_ := make(chan bool)
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Length, x.Res.Body = 10, &gated{source: source{pieces: []string{"first", "-last"}, end: io.EOF}, gate: go_}
	}})
	c := f.dial(t)
	io.WriteString(c, get+"\r\n")
	var got string
	for !strings.HasSuffix(got, "first") {
		p := make([]byte, 1000)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, err := c.Read(p)
		if got += string(p[:n]); err != nil {
			t.Fatalf("%v after %q", err, got)
		}
	}
	close(go_)
	if rest := readAll(c); rest != "-last" {
		t.Errorf("the rest is %q", rest)
	}
}

// gated waits before its last piece.
type gated struct {
	source
	gate chan bool
}

func (g *gated) Read(p []byte) (int, error) {
	if len(g.pieces) == 1 {
		<-g.gate
	}
	return g.source.Read(p)
}
