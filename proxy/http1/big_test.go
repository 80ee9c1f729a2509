package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
)

// serveBytes answers every GET with the bytes of /n of a known pattern: counted, chunked or until close.
func serveBytes(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		var n int
		fmt.Sscanf(q.URL.Path, "/%d", &n)
		b := pattern(n)
		switch q.URL.RawQuery {
		case "chunked":
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunked(string(b), 10_007))
		case "close":
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n\r\n%s", b)
			return
		default:
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, b)
		}
	}
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i>>9)
	}
	return b
}

// Bodies of all sizes around the buffers' sizes, three times over one connection, some of them to a
// client that is slow to read.
func TestBodiesOfAllSizes(t *testing.T) {
	m := newMember(t, serveBytes)
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
		f := start(t, a)
		for _, how := range []string{"", "?chunked", "?close"} {
			for _, n := range []int{0, 1, 4000, 4096, 8000, 16_300, 16_384, 16_500, 32_768, 65_536, 100_000, 3_000_000} {
				c := f.dial(t)
				c.SetReadBuffer(128 << 10)
				r := bufio.NewReaderSize(c, 4<<10)
				for range 3 {
					fmt.Fprintf(c, "GET /%d%s HTTP/1.1\r\nHost: h\r\n\r\n", n, how)
					c.SetReadDeadline(time.Now().Add(5 * time.Second))
					res, err := http.ReadResponse(r, nil)
					if err != nil {
						t.Fatalf("%d%s: %v %+v", n, how, err, a.failure())
					}
					if n > 1_000_000 {
						time.Sleep(50 * time.Millisecond)
					}
					b, err := io.ReadAll(res.Body)
					if err != nil || !bytes.Equal(b, pattern(n)) {
						t.Fatalf("%d%s: %d bytes, %v", n, how, len(b), err)
					}
				}
				c.Close()
			}
		}
	})
}

// A client that goes away ends the member's connection as well.
func TestAbortedClients(t *testing.T) {
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		ended := make(chan error, 1)
		m := newMember(t, func(c net.Conn) {
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
			p := make([]byte, 100_000)
			for {
				if _, err := c.Write(p); err != nil {
					ended <- err
					return
				}
			}
		})
		a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
		f := start(t, a)
		c := f.dial(t)
		io.WriteString(c, get+"\r\n")
		io.ReadFull(c, make([]byte, 500_000))
		c.Close()
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
			t.Error("the member still sends")
		}
	})
}

// What bytytraffic counts: all that was sent, and of the answers the status line and the body.
func TestTraffic(t *testing.T) {
	m := newRecorder(t, false)
	w := newWorker(t, "http://"+m.Addr, nil)
	f := newFront(t, &app{worker: w})
	f.ask(t, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
	sent := int64(len(in(t, m.heads)) + 5)
	if s := w.Snapshot(); s.Sent != sent || s.Read != int64(len("HTTP/1.1 200 OK")+2) {
		t.Errorf("sent %d of %d, read %d", s.Sent, sent, s.Read)
	}
	b := newMember(t, serveBytes)
	for _, how := range []string{"/100000", "/100000?chunked", "/100000?close"} {
		w := newWorker(t, "http://"+b.Addr, nil)
		f := newFront(t, &app{worker: w})
		f.ask(t, "GET "+how+" HTTP/1.1\r\nHost: h\r\n\r\n")
		if s := w.Snapshot(); s.Read != 100_015 {
			t.Errorf("%s: read %d", how, s.Read)
		}
	}
}

// Upgrades: 101 makes a tunnel, anything else is an answer.
func TestUpgrade(t *testing.T) {
	m := newMember(t, func(c net.Conn) {
		head, _ := readHead(bufio.NewReaderSize(c, 16))
		if strings.HasPrefix(head, "GET /no ") {
			io.WriteString(c, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Sure\r\nUpgrade: FOO\r\nX-A: 1\r\nConnection: Upgrade\r\n\r\nfirst:")
		io.Copy(c, c)
		io.WriteString(c, ":last")
	})
	fronts(t, func(t *testing.T, start func(testing.TB, *app) *front) {
		w := newWorker(t, "http://"+m.Addr, func(s *balancer.WorkerSettings) { s.Upgrade = "foo" })
		a := &app{worker: w, call: backend.Call{Idle: 5 * time.Second, HalfClose: true}}
		f := start(t, a)
		c := f.dial(t)
		io.WriteString(c, "GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nearly")
		const head = "HTTP/1.1 101 Sure\r\nX-A: 1\r\nConnection: Upgrade\r\nUpgrade: FOO\r\n\r\n"
		if got := readAll(c); got != head+"first:early" {
			t.Errorf("got %q", got)
		}
		n := 0
		f.Each(func(i *server.Info) {
			if i.State == server.Tunneling {
				n++
			}
		})
		if n != 1 {
			t.Errorf("%d tunnels", n)
		}
		io.WriteString(c, " more")
		c.CloseWrite()
		if got := readAll(c); got != " more:last<EOF>" {
			t.Errorf("then %q", got)
		}
		if got := f.ask(t, "GET /no HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 403 No\r\n") {
			t.Errorf("refused: %q", got)
		}
		if backend.Idle(w) != 0 {
			t.Error("a connection that was asked to switch was kept")
		}
	})
}

// Interim answers by the variable proxy-interim-response.
func TestInterimModes(t *testing.T) {
	const answer = "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for mode, want := range map[backend.Interim]string{
		backend.InterimRelay: "103 200 ", backend.InterimRFC: "103 100 200 ", backend.InterimSuppress: "200 ",
	} {
		m := newMember(t, scripted(map[string]string{"x": answer}))
		f := newFront(t, &app{worker: newWorker(t, "http://"+m.Addr, nil), call: backend.Call{Interim: mode}})
		got := f.ask(t, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
		seen := ""
		for _, line := range strings.Split(got, "\r\n") {
			if s, ok := strings.CutPrefix(line, "HTTP/1.1 "); ok {
				seen += s[:4]
			}
		}
		if seen != want {
			t.Errorf("mode %d: %q, want %q", mode, seen, want)
		}
	}
}

// Cookies that were set before the member answered stay, in front of the member's.
func TestEarlierCookies(t *testing.T) {
	m := newMember(t, scripted(map[string]string{"x": ok + "Set-Cookie: b\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n"}))
	f := newFront(t, &app{worker: newWorker(t, "http://"+m.Addr, nil), dress: func(x *exchange.Exchange) {
		x.Res.Header.Add("Set-Cookie", "a")
		x.Res.Header.Add("X-Lost", "1")
	}})
	const want = "HTTP/1.1 200 OK\nDate: D\nServer: Apache/2.4.71\nX-A: 1\nContent-Length: 0\nSet-Cookie: a\nSet-Cookie: b\n\n"
	if got := plain(f.ask(t, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n")); got != want {
		t.Errorf("got %q", got)
	}
}
