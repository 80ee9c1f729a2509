package http1

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"balancerd/proxy/backend"
)

// selfSigned is the configuration of a server with a certificate of its own making.
func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// secured has a member speak TLS before serve gets its connections.
func secured(t testing.TB, serve func(net.Conn)) func(net.Conn) {
	conf := selfSigned(t)
	return func(c net.Conn) {
		s := tls.Server(c, conf)
		defer s.Close()
		serve(s)
	}
}

// trusting is TLS towards members that believes all.
var trusting = &backend.TLS{Client: func(ctx context.Context, c net.Conn, _ string, _ ...string) (net.Conn, error) {
	s := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	return s, s.HandshakeContext(ctx)
}}

// A member over TLS answers as a plain one does: short and long, in pieces, with bodies to be sent, and kept.
func TestSecureMembers(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20_000)
	serve := secured(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			q, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(q.Body)
			switch q.URL.Path {
			case "/long":
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 320000\r\n\r\n"+long)
			case "/chunks":
				io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
				time.Sleep(20 * time.Millisecond)
				io.WriteString(c, "lo\r\n0\r\n\r\n")
			case "/body":
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
				if string(body) == long {
					io.WriteString(c, "ok")
				} else {
					io.WriteString(c, "no")
				}
			case "/upgrade":
				io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello")
				io.Copy(c, r)
				return
			default:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		}
	})
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		m := newMember(t, serve)
		a := &app{worker: newWorker(t, "https://"+m.Addr, nil), call: backend.Call{TLS: trusting, HalfClose: true, Timeout: 5 * time.Second}}
		f := start(t, a)
		c := f.dial(t)
		c.SetDeadline(time.Now().Add(20 * time.Second))
		r := bufio.NewReader(c)
		for _, q := range []struct{ path, body, want string }{
			{"/", "", "ok"}, {"/long", "", long}, {"/chunks", "", "hello"}, {"/body", long, "ok"}, {"/", "short", "ok"},
		} {
			method := "GET"
			if q.body != "" {
				method = "POST"
			}
			req, _ := http.NewRequest(method, "http://h"+q.path, strings.NewReader(q.body))
			go req.Write(c)
			res, err := http.ReadResponse(r, req)
			if err != nil {
				t.Fatalf("%s: %v, failed with %v", q.path, err, f.app.failure())
			}
			if got, err := io.ReadAll(res.Body); err != nil || string(got) != q.want {
				t.Errorf("%s: %d, %d bytes %.50q, %v", q.path, res.StatusCode, len(got), got, err)
			}
		}
		if n := m.Connections(); n != 1 {
			t.Errorf("%d connections to the member", n)
		}
		io.WriteString(c, "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nping ")
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != 101 {
			t.Fatalf("%v %v", res, err)
		}
		io.WriteString(c, "pong")
		p := make([]byte, len("helloping pong"))
		if _, err := io.ReadFull(r, p); err != nil || string(p) != "helloping pong" {
			t.Errorf("%q, %v", p, err)
		}
	})
}

// TestSecureMembersHoldUpNobody compares members that wait a while before they answer: over TLS as many
// requests are answered as without, or nearly; when each wait held an event loop up it was a twentieth.
func TestSecureMembersHoldUpNobody(t *testing.T) {
	slow := func(c net.Conn) {
		for r := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			time.Sleep(3 * time.Millisecond)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
	fronts := map[string]*front{}
	for scheme, serve := range map[string]func(net.Conn){"http": slow, "https": secured(t, slow)} {
		srv := usualServer()
		srv.MaxKeepAlive = 0
		fronts[scheme] = newFront(t, &app{srv: srv, worker: newWorker(t, scheme+"://"+newMember(t, serve).Addr, nil), call: backend.Call{TLS: trusting}})
	}
	best := 0.0
	for range 5 {
		plain, secure := answered(t, fronts["http"]), answered(t, fronts["https"])
		if best = max(best, float64(secure)/float64(max(plain, 1))); best > .4 {
			return
		}
	}
	t.Errorf("over TLS %.2f times as many requests are answered", best)
}

// answered is how many requests 32 clients get answered in a while.
func answered(t *testing.T, f *front) int {
	var n atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(300 * time.Millisecond)
	for range 32 {
		c := f.dial(t)
		all.Go(func() {
			defer c.Close()
			for r := bufio.NewReader(c); time.Now().Before(end); n.Add(1) {
				io.WriteString(c, get+"\r\n")
				c.SetDeadline(time.Now().Add(10 * time.Second))
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
			}
		})
	}
	all.Wait()
	return int(n.Load())
}
