package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
)

// A graceful stop ends connections of whose next request nothing is there, and no others: what was begun
// is read to its end, and answered (httpd does the same).
func TestStopFinishesWhatHasBegun(t *testing.T) {
	const post = "POST /p HTTP/1.1\r\nHost: h\r\n"
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: says})
		type begun struct{ name, first, rest, want string }
		var conns []net.Conn
		var cases []begun
		for _, c := range []begun{
			{"half of a line", "GET / HT", "TP/1.1\r\nHost: h\r\n\r\n", "[GET / 0 ]"},
			{"an empty line", "\r\n", get + "\r\n", "[GET / 0 ]"},
			{"half of a head", "GET / HTTP/1.1\r\nHo", "st: h\r\n\r\n", "[GET / 0 ]"},
			{"a head", post + "Content-Length: 5\r\n\r\n", "hello", "[POST /p 5 hello]"},
			{"half of a body", post + "Content-Length: 5\r\n\r\nhe", "llo", "[POST /p 5 hello]"},
			{"half of a chunk", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhe", "llo\r\n0\r\n\r\n", "[POST /p 5 hello]"},
			{"nothing", "", get + "\r\n", ""},
		} {
			for _, kept := range []string{"", "kept, "} {
				if kept+c.first == "" { // the system hands it over with its first bytes: it is a new one
					continue
				}
				conn := f.dial(t)
				if kept != "" {
					io.WriteString(conn, get+"\r\n")
					if got := bodies(readAll(conn)); got != "[GET / 0 ]" {
						t.Fatalf("got %q", got)
					}
				}
				io.WriteString(conn, c.first)
				c.name = kept + c.name
				conns, cases = append(conns, conn), append(cases, c)
			}
		}
		time.Sleep(100 * time.Millisecond)
		f.Stop()
		time.Sleep(50 * time.Millisecond)
		for i, c := range cases {
			io.WriteString(conns[i], c.rest)
			got, _ := after(t, conns[i], 5*time.Second)
			if c.want != "" && (!strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.HasSuffix(got, c.want)) || c.want == "" && got != "" {
				t.Errorf("%s: %q", c.name, got)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := f.Wait(ctx); err != nil {
			t.Errorf("%d connections are left", f.Connections())
		}
	})
}

// However a stop meets requests that are just being received: who was let to send a body is answered. A
// head that comes in the very moment in which its idle connection is closed meets a reset, as any server's
// clients must expect (RFC 9112 section 9.6): no more than a few of a hundred connections may.
func TestStopMeetsBodies(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		f := start(t, &app{serve: says})
		var all sync.WaitGroup
		var reset atomic.Int32
		for i := range 100 {
			conn := f.dial(t)
			all.Go(func() {
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
				for r := bufio.NewReader(conn); sendsSlowly(t, conn, r, &reset); {
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		f.Stop()
		all.Wait()
		if n := reset.Load(); n > 10 {
			t.Errorf("%d of 100 connections were reset", n)
		}
	})
}

// sendsSlowly sends a request whose body comes a moment after its head, and reports whether another one may
// follow.
func sendsSlowly(t *testing.T, conn net.Conn, r *bufio.Reader, reset *atomic.Int32) bool {
	if _, err := io.WriteString(conn, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"); err != nil {
		return false
	}
	time.Sleep(5 * time.Millisecond)
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return false // it was closed before the head came
	}
	res, err := http.ReadResponse(r, nil)
	if errors.Is(err, syscall.ECONNRESET) {
		reset.Add(1)
		return false
	}
	if err != nil {
		t.Errorf("no answer: %v", err)
		return false
	}
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != 200 || err != nil || string(body) != "[POST /p 5 hello]" {
		t.Errorf("%d %q %v", res.StatusCode, body, err)
	}
	return !res.Close
}

// torn is a connection that sends what is written in two parts.
type torn struct {
	net.Conn
	on   bool
	rest []byte
}

func (c *torn) Write(p []byte) (int, error) {
	if !c.on {
		return c.Conn.Write(p)
	}
	c.rest = append(c.rest, p[len(p)/2:]...)
	_, err := c.Conn.Write(p[:len(p)/2])
	return len(p), err
}

// So is a request of which nothing can be read yet, because it came with half of a TLS record.
func TestStopFinishesHalfARecord(t *testing.T) {
	conf := selfSigned(t)
	f := startFront(t, &app{serve: says}, server.Options{TLSHandshake: func(netip.AddrPort) server.TLSHandshake {
		return func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
			s := tls.Server(nc, conf)
			return s, &exchange.TLS{}, s.Handshake()
		}
	}}, nil)
	for _, kept := range []bool{false, true} {
		half := &torn{Conn: f.dial(t)}
		c := tls.Client(half, &tls.Config{InsecureSkipVerify: true})
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if kept {
			io.WriteString(c, get+"\r\n")
			if got := bodies(readAll(c)); got != "[GET / 0 ]" {
				t.Fatalf("got %q", got)
			}
		}
		half.on = true
		io.WriteString(c, get+"\r\n")
		defer func() {
			half.Conn.Write(half.rest)
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if got, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(got), "[GET / 0 ]") {
				t.Errorf("kept %v: %q %v", kept, got, err)
			}
		}()
	}
	time.Sleep(100 * time.Millisecond)
	f.Stop()
	time.Sleep(50 * time.Millisecond)
}

// TestCloseCutsTunnels: when the server cuts its connections off, both sides of a tunnel see its end, silent as they are.
func TestCloseCutsTunnels(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		over := make(chan error, 1)
		m := newMember(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			_, err := r.ReadByte()
			over <- err
		})
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil), call: backend.Call{HalfClose: true, Timeout: time.Minute, Idle: time.Minute}}
		f := start(t, a)
		c := f.dial(t)
		c.SetDeadline(time.Now().Add(20 * time.Second))
		r := bufio.NewReader(c)
		io.WriteString(c, "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 101 {
			t.Fatalf("%v %v", res, err)
		}
		f.Close()
		if _, err := r.ReadByte(); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the client sees no end")
		}
		select {
		case err := <-over:
			if err == nil {
				t.Error("the member got a byte")
			}
		case <-time.After(10 * time.Second):
			t.Error("the member sees no end")
		}
	})
}
