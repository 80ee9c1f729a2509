package http1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/client"
	"balancerd/proxy/http1/server"
	"balancerd/proxy/recovery"
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

// Outside of exchanges, too, a panic ends its connection and nothing else.
func TestPanicsOutsideOfExchanges(t *testing.T) {
	bad := func() { panic("on purpose") }
	nth := func(n int) func() { // panics in the n-th call
		var calls atomic.Int32
		return func() {
			if int(calls.Add(1)) == n {
				bad()
			}
		}
	}
	h2 := func(f func()) server.Options { return server.Options{Other: otherFunc(f)} }
	direct := usualServer()
	direct.HTTP2.Loaded, direct.Protocols = true, []string{exchange.HTTP11, exchange.H2C}
	for _, c := range []struct {
		name string
		app  *app
		o    server.Options
		send string
	}{
		{"before a connection is served", &app{serve: says, first: nth(1)}, server.Options{}, get + "\r\n"},
		{"before a head is read", &app{serve: says, first: nth(2)}, server.Options{}, get + "\r\n"},
		{"in a handshake", &app{serve: says}, server.Options{TLSHandshake: shakeOnce(nth(1))}, get + "\r\n"},
		{"in another protocol", &app{serve: says, srv: direct}, h2(bad), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := recovery.Panics()
			f := startFront(t, c.app, c.o, nil)
			conn := f.dial(t)
			io.WriteString(conn, c.send)
			conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			if got, err := io.ReadAll(conn); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %q, %v", got, err)
			}
			for end := time.Now().Add(5 * time.Second); c.app.panics(t) == 0 && time.Now().Before(end); { // counted first, then logged
				time.Sleep(time.Millisecond)
			}
			if n, logged := recovery.Panics()-before, c.app.panics(t); n != 1 || logged != 1 {
				t.Errorf("%d panics, %d logged", n, logged)
			}
			if got := bodies(f.ask(t, get+"\r\n")); got != "[GET / 0 ]" {
				t.Errorf("the next client got %q", got)
			}
		})
	}
}

// shakeOnce has a function called in each handshake, which is one without a word.
func shakeOnce(f func()) func(netip.AddrPort) server.TLSHandshake {
	return func(netip.AddrPort) server.TLSHandshake {
		return func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
			f()
			return nc, &exchange.TLS{}, nil
		}
	}
}

// otherFunc is another protocol that calls a function.
type otherFunc func()

func (f otherFunc) Serve(nc net.Conn, _ *exchange.Conn, _ *server.Reporter, _ any) {
	defer nc.Close()
	f()
}

// What cuts a member's connection off when its client is gone runs by itself.
func TestPanicWhileCuttingOff(t *testing.T) {
	m := newMember(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	recovery.OnStart(func(task string) {
		if strings.HasPrefix(task, "cutting off") {
			panic("on purpose")
		}
	})
	defer recovery.OnStart(nil)
	recovery.SetLog(func(string) {})
	defer recovery.SetLog(nil)
	before := recovery.Panics()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	x := &exchange.Exchange{Server: usualServer(), Start: time.Now()}
	x.Out.Method, x.Out.Target, x.Out.Host, x.Out.Minor = "GET", "/", "h", 1
	err := client.NewBackend().RoundTrip(ctx, newWorker(t, "http://"+m.Addr, nil), x, &backend.Call{Timeout: 200 * time.Millisecond})
	if !backend.IsTimeout(err) || recovery.Panics() != before+1 {
		t.Errorf("%v, %d panics", err, recovery.Panics()-before)
	}
}
