package backend_test

import (
	"bufio"
	"context"
	"errors"
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
	http1 "balancerd/proxy/http1/client"
	http2 "balancerd/proxy/http2/client"
)

func server() *exchange.Server {
	return &exchange.Server{LimitLine: 8190, LimitFieldSize: 8190, LimitFields: 100, Timeout: 5 * time.Second, Levels: &exchange.Levels{}}
}

func members() backend.Table {
	h1, h2 := http1.NewBackend(), http2.NewBackend()
	return backend.Table{{Name: "http", Backend: h1}, {Name: "h2c", Backend: h2}}
}

// A probe needs no client, whatever its member speaks, and leaves no connection behind.
func TestProbe(t *testing.T) {
	heads := make(chan string, 10)
	h1 := backendtest.Listen(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		var head strings.Builder
		for {
			line, err := in.ReadString('\n')
			if head.WriteString(line); err != nil || line == "\r\n" {
				break
			}
		}
		io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nX-State: well\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n")
		if n, err := in.Read(make([]byte, 1)); n > 0 || err != io.EOF {
			t.Errorf("%d bytes more, %v: want the connection's end", n, err)
		}
		heads <- head.String()
	})
	h2 := backendtest.HTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-State", "well")
		io.WriteString(w, "good")
	}, nil)
	p := &backend.Probe{Method: "GET", Target: "/up?x=1", Host: "h:81", Minor: 1, MostBody: 100}
	for _, url := range []string{"http://" + h1.Addr, "h2c://" + h2.Addr} {
		w := backendtest.Worker(t, url, nil)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for range 2 {
			got, err := members().Probe(ctx, w, server(), &backend.Call{}, p)
			if err != nil {
				t.Fatal(url, err)
			}
			if got.Status != 200 || got.Header.Get("X-State") != "well" || string(got.Body) != "good" {
				t.Errorf("%s: %d %q %q", url, got.Status, got.Header.F, got.Body)
			}
		}
		if n := backend.Idle(w); n != 0 {
			t.Errorf("%s: %d connections are kept", url, n)
		}
	}
	for range 2 {
		if head := <-heads; head != "GET /up?x=1 HTTP/1.1\r\nHost: h:81\r\n\r\n" {
			t.Errorf("sent %q", head)
		}
	}
	if h1.Connections() != 2 || h2.Connections() != 2 {
		t.Errorf("%d and %d connections for two probes each", h1.Connections(), h2.Connections())
	}
}

// A probe's whole time is bounded, and its failures are those of attempts.
func TestProbeFails(t *testing.T) {
	silent := backendtest.Listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	slow := backendtest.Listen(t, func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
		io.Copy(io.Discard, c)
	})
	garbage := backendtest.Listen(t, func(c net.Conn) { io.WriteString(c, "220 ready\r\n") })
	p := &backend.Probe{Method: "GET", Target: "/", Host: "h", Minor: 1, MostBody: 100}
	for _, c := range []struct {
		url   string
		kind  backend.Kind
		ended bool // by the context: the kind is as it comes
	}{
		{"http://" + silent.Addr, 0, true},
		{"h2c://" + silent.Addr, 0, true},
		{"http://" + slow.Addr, 0, true},
		{"http://" + garbage.Addr, backend.BadStatusLine, false},
		{"http://127.0.0.1:1", backend.Refused, false},
		{"h2c://127.0.0.1:1", backend.Refused, false},
		{"ftp://127.0.0.1:1", backend.BadScheme, false},
	} {
		w := backendtest.Worker(t, c.url, func(s *balancer.WorkerSettings) { s.Retry.V = 0 })
		limit := 10 * time.Second
		if c.ended {
			limit = 50 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		_, err := members().Probe(ctx, w, server(), &backend.Call{}, p)
		cancel()
		var f *backend.Failure
		errors.As(err, &f)
		switch {
		case err == nil || errors.Is(err, context.DeadlineExceeded) != c.ended:
			t.Errorf("%s: %v", c.url, err)
		case !c.ended && (f == nil || f.Kind != c.kind):
			t.Errorf("%s: %v, want %v", c.url, err, c.kind)
		}
	}
}
