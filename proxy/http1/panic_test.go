package http1

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/tunnel"
)

// badBody is a body that panics once n bytes of it were read.
type badBody struct{ n int }

func (b *badBody) Read(p []byte) (int, error) {
	if b.n == 0 {
		panic("on purpose")
	}
	n := min(b.n, len(p))
	b.n -= n
	return copy(p, strings.Repeat("x", n)), nil
}

func (b *badBody) Buffered() []byte { return nil }
func (b *badBody) Discard(int)      {}
func (b *badBody) Close() error     { return nil }

// closing is a body that panics when it is closed.
type closing struct{ badBody }

func (closing) Close() error { panic("on purpose") }

// badTunnel panics in the direction from the client, or in that from the member.
type badTunnel struct{ up bool }

func (badTunnel) Close() error { return nil }

func (b badTunnel) Join(client exchange.Stream) {
	near, far := net.Pipe()
	defer far.Close()
	defer near.Close()
	bad := badStream{near}
	if b.up {
		tunnel.Join(bad, client, tunnel.Options{})
		return
	}
	tunnel.Join(client, bad, tunnel.Options{})
}

type badStream struct{ net.Conn }

func (badStream) CloseWrite() error        { return nil }
func (badStream) Read([]byte) (int, error) { panic("on purpose") }

// Wherever a panic happens, it is one line of the log with its stack, its client sees that the answer
// is none or not whole, and others see nothing of it.
func TestPanics(t *testing.T) {
	answer := func(status int, length int64, body exchange.Source) func(*exchange.Exchange) {
		return func(x *exchange.Exchange) { x.Res.Status, x.Res.Length, x.Res.Body = status, length, body }
	}
	for _, c := range []struct {
		name  string
		serve func(*exchange.Exchange)
		want  string // how the answer begins
		not   string // what it must not hold
		done  func(*exchange.Exchange)
	}{
		{"serving", func(*exchange.Exchange) { panic("on purpose") }, "HTTP/1.1 500 ", "", nil},
		{"an error", func(*exchange.Exchange) { panic(io.ErrUnexpectedEOF) }, "HTTP/1.1 500 ", "", nil},
		{"nil", func(*exchange.Exchange) { panic(nil) }, "HTTP/1.1 500 ", "", nil},
		{"a fault of the machine", func(x *exchange.Exchange) { x.Req.Header.F[1<<20].Name = "" }, "HTTP/1.1 500 ", "", nil},
		{"body, nothing sent", answer(200, -1, &badBody{}), "HTTP/1.1 ", "0\r\n\r\n", nil},
		{"body, counted", answer(200, 1<<20, &badBody{1 << 19}), "HTTP/1.1 200 ", strings.Repeat("x", 1<<19+1), nil},
		{"body, chunked", answer(200, -1, &badBody{1 << 19}), "HTTP/1.1 200 ", "\r\n0\r\n", nil},
		{"body, closing", answer(200, 5, &closing{badBody{5}}), "HTTP/1.1 200 ", "HTTP/1.1 500", nil},
		{"closing twice", func(x *exchange.Exchange) {
			answer(200, 5, &closing{badBody{5}})(x)
			panic("on purpose")
		}, "HTTP/1.1 500 ", "x", nil},
		{"from the client", func(x *exchange.Exchange) { x.Res.Status, x.Res.Tunnel = 101, badTunnel{true} }, "HTTP/1.1 101 ", "500", nil},
		{"from the member", func(x *exchange.Exchange) { x.Res.Status, x.Res.Tunnel = 101, badTunnel{false} }, "HTTP/1.1 101 ", "500", nil},
		{"logging", func(x *exchange.Exchange) { local(x, 200, "fine") }, "HTTP/1.1 200 ", "500", func(*exchange.Exchange) { panic("on purpose") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				onePanic(t, start, c.serve, c.done, c.want, c.not)
			})
		})
	}
}

func onePanic(t *testing.T, start func(testing.TB, *app) *front, serve, done func(*exchange.Exchange), want, not string) {
	bad := func(x *exchange.Exchange) bool { return x.Req.RawPath == "/bad" }
	a := &app{}
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		if bad(x) {
			serve(x)
		} else {
			says(ctx, x)
		}
	}
	a.after = func(x *exchange.Exchange) {
		if done != nil && bad(x) {
			done(x)
		}
	}
	f := start(t, a)
	other := f.dial(t)
	reader := bufio.NewReader(other)
	fine := func() {
		t.Helper()
		io.WriteString(other, get+"\r\n")
		other.SetReadDeadline(time.Now().Add(5 * time.Second))
		if got, err := reader.ReadString(']'); bodies(got) != "[GET / 0 ]" {
			t.Errorf("another client got %q, %v", got, err)
		}
	}
	fine()
	c := f.dial(t)
	io.WriteString(c, "GET /bad HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	got, err := io.ReadAll(c)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection lives on: %v", err)
	}
	if !strings.HasPrefix(string(got), want) || not != "" && strings.Contains(string(got), not) {
		t.Errorf("got %.300q", got)
	}
	fine()
	lines := a.panics(t)
	for end := time.Now().Add(5 * time.Second); lines == 0 && time.Now().Before(end) && !strings.Contains(t.Name(), "/closing_twice/"); lines = a.panics(t) {
		time.Sleep(5 * time.Millisecond) // the client may see the end before the line is written
	}
	if lines != 1 && !strings.Contains(t.Name(), "/closing_twice/") {
		t.Errorf("%d lines of the log: %q", lines, a.logs)
	}
}

// panics counts the log's lines of panics.
func (a *app) panics(t *testing.T) (lines int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.logs {
		if strings.Contains(l, "AH00052: panic") {
			if lines++; !strings.Contains(l, "panic_test.go:") {
				t.Errorf("no stack: %s", l)
			}
		}
	}
	return lines
}
