package http1

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
)

// after reads all that comes and tells how long it took until the end.
func after(t *testing.T, c net.Conn, most time.Duration) (string, time.Duration) {
	t.Helper()
	began := time.Now()
	c.SetReadDeadline(began.Add(most))
	b, err := io.ReadAll(c)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%v after %q", err, b)
	}
	return string(b), time.Since(began)
}

func about(d, want time.Duration) bool {
	return d > want-want/10 && d < want+want/2+100*time.Millisecond
}

// Slow clients (RequestReadTimeout, Timeout, KeepAliveTimeout).
func TestReadTimeouts(t *testing.T) {
	const unit = 200 * time.Millisecond
	for _, c := range []struct {
		name  string
		set   func(*exchange.Server)
		first string
		want  string // how the last answer begins
		took  time.Duration
		logs  int // exchanges that are logged
	}{
		{"nothing is ever said", func(s *exchange.Server) { s.HeaderRead.Timeout = unit }, "", "", unit, 1},
		{"half a line", func(s *exchange.Server) { s.HeaderRead.Timeout = unit }, "GET / HT", "", unit, 1},
		{"half a head", func(s *exchange.Server) { s.HeaderRead.Timeout = unit }, "GET / HTTP/1.1\r\nHo", "HTTP/1.1 408 ", unit, 1},
		{"half a head and Timeout alone", func(s *exchange.Server) { s.Timeout = unit }, "GET / HTTP/1.1\r\nHo", "HTTP/1.1 408 ", unit, 1},
		{"half a body", func(s *exchange.Server) { s.BodyRead.Timeout = unit }, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 408 ", unit, 1},
		{"half a body and Timeout alone", func(s *exchange.Server) { s.Timeout = unit }, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 408 ", unit, 1},
		{"no second request", func(s *exchange.Server) { s.KeepAliveTimeout = unit }, get + "\r\n", "HTTP/1.1 200 ", unit, 1},
		{"half a second line", func(s *exchange.Server) { s.HeaderRead.Timeout = unit }, get + "\r\nGET", "HTTP/1.1 200 ", unit, 1},
		{"half a second head", func(s *exchange.Server) { s.HeaderRead.Timeout = unit }, get + "\r\n" + get, "HTTP/1.1 408 ", unit, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
				a := &app{srv: usualServer(), serve: says, done: []string{}}
				c.set(a.srv)
				f := start(t, a)
				conn := f.dial(t)
				io.WriteString(conn, c.first)
				got, took := after(t, conn, 5*time.Second)
				last := got[max(0, strings.LastIndex(got, "HTTP/1.1 ")):]
				if !strings.HasPrefix(last, c.want) || c.want == "" && got != "" {
					t.Errorf("got %q", got)
				}
				if c.first != "" && !about(took, c.took) { // who says nothing is held back by the system for a while
					t.Errorf("it took %v", took)
				}
				a.mu.Lock()
				defer a.mu.Unlock()
				if len(a.done) != c.logs {
					t.Errorf("logged %q", a.done)
				}
			})
		})
	}
}

// Bytes that keep coming put the end off, up to a bound.
func TestMinRate(t *testing.T) {
	srv := usualServer()
	srv.HeaderRead = exchange.ReadLimit{Timeout: 200 * time.Millisecond, Rate: 100, Max: 600 * time.Millisecond}
	f := newFront(t, &app{srv: srv, serve: says})
	drip := func(every time.Duration) time.Duration {
		c := f.dial(t)
		began := time.Now()
		stop := make(chan bool)
		defer close(stop)
		go func() {
			io.WriteString(c, "GET / HTTP/1.1\r\n")
			for {
				select {
				case <-stop:
					return
				case <-time.After(every):
					if _, err := io.WriteString(c, "X: 123456\r\n"); err != nil {
						return
					}
				}
			}
		}()
		got, _ := after(t, c, 5*time.Second)
		if !strings.HasPrefix(got, "HTTP/1.1 408 ") {
			t.Errorf("got %q", got)
		}
		return time.Since(began)
	}
	if d := drip(50 * time.Millisecond); !about(d, 600*time.Millisecond) {
		t.Errorf("a fast one was cut after %v", d)
	}
	if d := drip(10 * time.Second); d > 600*time.Millisecond {
		t.Errorf("a slow one was cut after %v", d)
	}
}

func TestStop(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		began, goOn := make(chan bool), make(chan bool)
		f := start(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
			if x.Req.RawPath == "/slow" {
				x.Block()
				began <- true
				<-goOn
			}
			says(ctx, x)
		}})
		idle, fresh, busy := f.dial(t), f.dial(t), f.dial(t)
		io.WriteString(idle, get+"\r\n")
		io.WriteString(fresh, "GET")
		if got := bodies(readAll(idle)); got != "[GET / 0 ]" {
			t.Fatalf("got %q", got)
		}
		io.WriteString(busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
		<-began
		states := map[server.State]int{}
		f.Each(func(i *server.Info) {
			states[i.State]++
			if i.State == server.Serving && (i.Line != "GET /slow HTTP/1.1" || i.Client != "127.0.0.1" || i.Protocol != "HTTP/1.1" || i.Requests != 1) {
				t.Errorf("info %+v", i)
			}
		})
		if states[server.Serving] != 1 || states[server.KeepAlive] != 1 || f.Connections() != 3 {
			t.Errorf("states %v of %d", states, f.Connections())
		}
		f.Stop()
		if got, took := after(t, idle, 2*time.Second); got != "" || took > time.Second {
			t.Errorf("the idle one: %q after %v", got, took)
		}
		close(goOn)
		if got, _ := after(t, busy, 2*time.Second); !strings.Contains(got, "Connection: close") || !strings.HasSuffix(got, "[GET /slow 0 ]") {
			t.Errorf("the busy one: %q", got)
		}
		fresh.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := f.Wait(ctx); err != nil {
			t.Errorf("%d connections are left", f.Connections())
		}
	})
}

// A client that does not read holds up nobody but itself, and not for ever.
func TestSlowReaders(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		srv := usualServer()
		srv.Timeout = 300 * time.Millisecond
		aborted := make(chan bool, 1)
		big := strings.Repeat("x", 16<<20)
		f := start(t, &app{srv: srv, serve: func(_ context.Context, x *exchange.Exchange) { local(x, 200, big) },
			after: func(x *exchange.Exchange) { aborted <- x.Res.Aborted }})
		c := f.dial(t)
		io.WriteString(c, get+"\r\n")
		select {
		case got := <-aborted:
			if !got {
				t.Error("it was not aborted")
			}
		case <-time.After(3 * time.Second):
			t.Error("it is still being served")
		}
	})
}

// The same loop over TLS.
func TestTLS(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "h"}, DNSNames: []string{"h"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	f := startFront(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
		if x.Req.Scheme != "https" || !x.Conn.Secure || x.Conn.TLS == nil {
			local(x, 500, "not secure")
			return
		}
		says(ctx, x)
	}}, server.Options{TLSHandshake: func(netip.AddrPort) server.TLSHandshake {
		return func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
			tc := tls.Server(nc, conf)
			if err := tc.Handshake(); err != nil {
				return nil, nil, err
			}
			return tc, &exchange.TLS{ConnectionState: tc.ConnectionState()}, nil
		}
	}}, nil)
	c := tls.Client(f.dial(t), &tls.Config{InsecureSkipVerify: true, ServerName: "h"})
	body := strings.Repeat("y", 100_000)
	io.WriteString(c, get+"\r\nPOST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"+body+get+"Connection: close\r\n\r\n")
	if got := bodies(readAll(c)); got != "[GET / 0 ][POST /1 100000 "+body[:30]+"][GET / 0 ]<EOF>" {
		t.Errorf("got %q", got)
	}
}
