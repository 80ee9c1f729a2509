package client

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// secureMember is a member for the scheme h2 whose TLS is none.
func secureMember(t *testing.T, change func(*balancer.WorkerSettings)) (w *balancer.Worker, secure *backend.TLS, connections func() int) {
	m := backendtest.HTTP2(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // the head; the body lasts as long as somebody wants it
		<-r.Context().Done()
	}, nil)
	secure = &backend.TLS{Client: func(_ context.Context, c net.Conn, _ string, _ ...string) (net.Conn, error) {
		return struct{ net.Conn }{c}, nil
	}}
	return backendtest.Worker(t, "h2://"+m.Addr, change), secure, m.Connections
}

// opened begins an exchange with a worker; end ends it, and waits until its stream is over.
func opened(t *testing.T, b *Backend, w *balancer.Worker, call *backend.Call) (end func()) {
	t.Helper()
	x := &exchange.Exchange{Start: time.Now(), Server: &exchange.Server{Levels: &exchange.Levels{}}}
	x.Req.Method, x.Req.Body = "GET", exchange.NoBody{}
	x.Out.Method, x.Out.Target, x.Out.Host, x.Out.Minor = "GET", "/", "h", 1
	if err := b.RoundTrip(context.Background(), w, x, call); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		x.Finish()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if over(w) {
				return
			}
			if time.Now().After(end) {
				t.Fatal("the stream does not end")
			}
		}
	}
}

// over reports whether a worker's connections have no streams.
func over(w *balancer.Worker) bool {
	s := clientsOf(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.list {
		if _, idle := c.idleSince(); !idle {
			return false
		}
	}
	return true
}

// TestIdleConnectionsGo: what a sweep closes, and what it does not.
func TestIdleConnectionsGo(t *testing.T) {
	for _, c := range []struct {
		name  string
		ttl   time.Duration
		age   time.Duration
		busy  bool
		over  bool
		left  bool
		evict bool
	}{
		{name: "idles", age: backend.MaxIdle - time.Second, left: true},
		{name: "too old", age: backend.MaxIdle + time.Second},
		{name: "within ttl=", ttl: 9 * time.Second, age: 5 * time.Second, left: true},
		{name: "beyond ttl=", ttl: 9 * time.Second, age: 10 * time.Second},
		{name: "of a configuration that is over", over: true},
		{name: "in use", age: backend.MaxIdle + time.Second, over: true, busy: true, left: true},
		{name: "another connection is needed", evict: true},
		{name: "in use, while one is needed", evict: true, busy: true, left: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, secure, _ := secureMember(t, func(s *balancer.WorkerSettings) { s.TTL = c.ttl })
			began := backend.Clock()
			end := opened(t, NewBackend(), w, &backend.Call{TLS: secure})
			if !c.busy {
				end()
			}
			s := clientsOf(w)
			if since, ok := s.Oldest(); !ok || since > backend.Clock() || since < began {
				t.Errorf("oldest %d, %v", since, ok)
			}
			if c.over {
				secure.Retire()
			}
			if c.evict {
				if got := s.DropOldest(); got == c.busy {
					t.Errorf("dropped one: %v", got)
				}
			} else {
				s.Sweep(backend.Clock() + int64(c.age))
			}
			if _, ok := s.Oldest(); ok != c.left {
				t.Errorf("left %v", ok)
			}
			if c.busy {
				end()
			}
		})
	}
}

// TestTTL: who asks gets no connection that idles longer than ttl=.
func TestTTL(t *testing.T) {
	w, secure, connections := secureMember(t, func(s *balancer.WorkerSettings) { s.TTL = 200 * time.Millisecond })
	b := NewBackend()
	for _, c := range []struct {
		wait time.Duration
		want int
	}{{0, 1}, {0, 1}, {250 * time.Millisecond, 2}} {
		time.Sleep(c.wait)
		opened(t, b, w, &backend.Call{TLS: secure})()
		if n := connections(); n < c.want || n > c.want && c.wait > 0 {
			t.Errorf("%d connections, want %d", n, c.want)
		}
	}
}

// TestNamesAreBounded: a connection for each name that clients come up with, up to a number.
func TestNamesAreBounded(t *testing.T) {
	w, secure, connections := secureMember(t, nil)
	b := NewBackend()
	for i := range backend.MaxKinds + 20 {
		opened(t, b, w, &backend.Call{TLS: secure, Name: fmt.Sprint("h", i)})()
	}
	s := clientsOf(w)
	s.mu.Lock()
	n := len(s.list)
	s.mu.Unlock()
	if n != backend.MaxKinds || connections() != backend.MaxKinds+20 {
		t.Errorf("%d kept of %d", n, connections())
	}
	opened(t, b, w, &backend.Call{TLS: secure, Name: fmt.Sprint("h", backend.MaxKinds+19)})()
	if n := connections(); n != backend.MaxKinds+20 {
		t.Error("the last one was not kept")
	}
}
