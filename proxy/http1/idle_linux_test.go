package http1

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/tlsbuf"
	"balancerd/testdata/linear"
)

// newSecureFront serves connections over TLS.
func newSecureFront(t testing.TB, a *app) *front {
	t.Helper()
	conf := selfSigned(t)
	shake := func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
		c := tls.Server(nc, conf)
		err := c.Handshake()
		return c, &exchange.TLS{}, err
	}
	return startFront(t, a, server.Options{TLSHandshake: func(netip.AddrPort) server.TLSHandshake { return shake }}, nil)
}

// idleSize is how many bytes of the heap each of n connections over TLS takes that idle after a request: both ends of
// it, of which the client's holds no buffers.
func idleSize(t *testing.T, addr, request string, n int) int {
	t.Helper()
	list := make([]*tls.Conn, n)
	before := liveHeap()
	for i := range list {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		io.WriteString(c, request)
		if got := answer(t, c); !strings.HasSuffix(got, "abcdef") {
			t.Fatalf("%q", got)
		}
		tlsbuf.TakeBack(c, tlsbuf.Lend(c))
		list[i] = c
	}
	size := int(liveHeap()-before) / n
	runtime.KeepAlive(list)
	return size
}

// answer reads to the end of a small answer.
func answer(t *testing.T, c net.Conn) string {
	t.Helper()
	got := make([]byte, 0, 4<<10)
	for !strings.HasSuffix(string(got), "abcdef") {
		n, err := c.Read(got[len(got):cap(got)])
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got = got[:len(got)+n]
	}
	return string(got)
}

// TestIdleSecureConnectionsHoldNoBuffers: what idles over TLS is as large after an upload, whose records fill
// crypto/tls's buffers, as after a GET, and ten times as many take as much each.
func TestIdleSecureConnectionsHoldNoBuffers(t *testing.T) {
	if poison.On || linear.Race {
		t.Skip("memory is another one's measure there")
	}
	m := newMember(t, fixed(smallAnswer))
	a := &app{worker: newWorker(t, "http://"+m.Addr, nil), srv: usualServer()}
	a.srv.KeepAliveTimeout = time.Minute
	f := newSecureFront(t, a)
	upload := "POST /form HTTP/1.1\r\nHost: front.test\r\nContent-Length: 30000\r\n\r\n" + strings.Repeat("x", 30000)
	idleSize(t, f.addr, upload, 10) // what is made once
	for _, n := range []int{30, 300} {
		get, post := idleSize(t, f.addr, browser, n), idleSize(t, f.addr, upload, n)
		t.Logf("%d connections: %d bytes each after a GET, %d after a POST", n, get, post)
		if most := 12 << 10; get > most || post > most {
			t.Errorf("%d connections: %d bytes each after a GET, %d after a POST, for both ends; at most %d", n, get, post, most)
		}
	}
}

func liveHeap() int64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC() // pools are emptied by the second one
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestSecureRequestsAllocateOnce: of a request over TLS, crypto/tls allocates where it reads a record, at either end, and
// nothing else does.
func TestSecureRequestsAllocateOnce(t *testing.T) {
	if poison.On || linear.Race {
		t.Skip("pools keep nothing there")
	}
	m := newMember(t, fixed(smallAnswer))
	a := &app{worker: newWorker(t, "http://"+m.Addr, nil), srv: usualServer()}
	a.srv.MaxKeepAlive = 0
	c, err := tls.Dial("tcp", newSecureFront(t, a).addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q, p := []byte(browser), make([]byte, 4<<10)
	ask := func(n int) {
		for range n {
			c.Write(q)
			for got := 0; !bytes.HasSuffix(p[:got], []byte("abcdef")); {
				k, err := c.Read(p[got:])
				if got += k; err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	ask(100)
	const n = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask(n)
	runtime.ReadMemStats(&after)
	if got := after.Mallocs - before.Mallocs; got > 2*n+200 {
		t.Errorf("%d allocations for %d requests", got, n)
	}
}
