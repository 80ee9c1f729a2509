// Package backendtest is what the tests of members' protocols stand on: workers, and members on loopback.
package backendtest

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"balancerd/balancer"
	"balancerd/balancer/method"
)

// Worker is a worker of its own balancer for a URL; change may edit its settings before it is made.
func Worker(t testing.TB, url string, change func(*balancer.WorkerSettings)) *balancer.Worker {
	t.Helper()
	addr, err := balancer.ParseAddress(url, "/", false)
	if err != nil {
		t.Fatal(err)
	}
	set := balancer.NewWorkerSettings()
	if change != nil {
		change(&set)
	}
	farm := balancer.NewFarm(method.Builtin(nil), nil)
	r, err := farm.Plan(context.Background(), nil, slices.Values([]balancer.WorkerSpec{{VHost: "v", Address: addr, Settings: set}}))
	if err != nil {
		t.Fatal(err)
	}
	farm.Commit(r)
	return farm.Workers("v")[0]
}

// Member is a server on loopback that counts its connections.
type Member struct {
	Addr string // "127.0.0.1:port"
	made atomic.Int64
}

// Connections is how many were made so far.
func (m *Member) Connections() int { return int(m.made.Load()) }

// Listen is a member whose connections are handed to serve, and closed when it returns.
func Listen(t testing.TB, serve func(net.Conn)) *Member {
	t.Helper()
	l := listen(t)
	m := &Member{Addr: l.Addr().String()}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.made.Add(1)
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return m
}

// HTTP2 is a member that speaks HTTP/2 in clear text; change, if there is one, may edit its server.
func HTTP2(t testing.TB, h http.HandlerFunc, change func(*http.Server)) *Member {
	t.Helper()
	l := listen(t)
	m := &Member{Addr: l.Addr().String()}
	srv := &http.Server{Handler: h, Protocols: new(http.Protocols), ConnState: m.Count}
	srv.Protocols.SetUnencryptedHTTP2(true)
	if change != nil {
		change(srv)
	}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return m
}

// Count is an http.Server's ConnState that counts its connections.
func (m *Member) Count(_ net.Conn, s http.ConnState) {
	if s == http.StateNew {
		m.made.Add(1)
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
