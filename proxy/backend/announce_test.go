package backend

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// of is an exchange of a client that came to 10.0.0.1:80.
func of(client string) *exchange.Exchange {
	x, _ := newExchange()
	x.Server.KeepAlive, x.Server.KeepAliveTimeout = true, 5*time.Second
	x.Conn = &exchange.Conn{Local: netip.MustParseAddrPort("10.0.0.1:80")}
	if client != "" {
		x.Conn.Remote = netip.MustParseAddrPort(client)
	}
	return x
}

func announcing(p balancer.ProxyProtocol) func(*balancer.WorkerSettings) {
	return func(s *balancer.WorkerSettings) { s.ProxyProtocol = p }
}

// TestAnnouncement is whom a connection is said to be for.
func TestAnnouncement(t *testing.T) {
	relayed := func(ip string, port uint16) *exchange.Exchange {
		x := of("10.9.9.9:9")
		x.SetClient(ip, port)
		return x
	}
	for _, c := range []struct {
		what string
		x    *exchange.Exchange
		call Call
		want string
	}{
		{"a client", of("192.0.2.7:4711"), Call{}, "PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n"},
		{"one on a socket of both families", of("[::ffff:192.0.2.7]:4711"), Call{}, "PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n"},
		{"one that a PROXY header named", relayed("192.0.2.8", 12), Call{}, "PROXY TCP4 192.0.2.8 10.0.0.1 12 80\r\n"},
		{"one that a field named", relayed("192.0.2.8", 0), Call{}, "PROXY TCP4 192.0.2.8 10.0.0.1 0 80\r\n"},
		{"one of the other family", relayed("2001:db8::7", 0), Call{}, "PROXY TCP6 2001:db8::7 ::ffff:a00:1 0 80\r\n"},
		{"one in the neighbourhood", of("[fe80::1%eth0]:5"), Call{}, "PROXY TCP6 fe80::1 ::ffff:a00:1 5 80\r\n"},
		{"a unix socket's", of(""), Call{}, "PROXY UNKNOWN\r\n"},
		{"a health check", of("192.0.2.7:4711"), Call{Check: &Check{}}, "PROXY UNKNOWN\r\n"},
		{"towards another proxy", of("192.0.2.7:4711"), Call{Remote: &Remote{}}, ""},
		{"through another proxy's tunnel", of("192.0.2.7:4711"), Call{Remote: &Remote{}, Scheme: "https"}, "PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n"},
	} {
		w := backendtest.Worker(t, "http://m", announcing(balancer.ProxyProtocolV1))
		if got := Announcement(w, c.x, &c.call); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	x := of("192.0.2.7:4711")
	w := backendtest.Worker(t, "http://m", announcing(balancer.ProxyProtocolV2))
	if got, want := Announcement(w, x, &Call{}), "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x00\x00\x01\x12\x67\x00\x50"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Announcement(backendtest.Worker(t, "http://m", nil), x, &Call{}); got != "" {
		t.Errorf("%q without proxyprotocol=", got)
	}
}

// taken acquires a connection for an exchange and gives it back.
func taken(t *testing.T, w *balancer.Worker, x *exchange.Exchange) *Conn {
	t.Helper()
	c, err := Acquire(context.Background(), w, x, &Call{}, false)
	if err != nil {
		t.Fatal(err)
	}
	c.Release(true)
	return c
}

// TestAConnectionIsOneClients: it is used again for the client that it was announced for alone; what a reload says of
// the header holds at once.
func TestAConnectionIsOneClients(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), announcing(balancer.ProxyProtocolV1))
	a := taken(t, w, of("192.0.2.7:1"))
	for _, x := range []*exchange.Exchange{of("192.0.2.7:2"), of("192.0.2.8:1"), of("")} {
		if taken(t, w, x) == a {
			t.Errorf("%v has another one's connection", x.Conn.Remote)
		}
	}
	if taken(t, w, of("192.0.2.7:1")) != a {
		t.Error("its own client did not get it")
	}
	elsewhere := of("192.0.2.7:1")
	elsewhere.Conn.Local = netip.MustParseAddrPort("10.0.0.1:81")
	if taken(t, w, elsewhere) == a {
		t.Error("it was got by who came to another port")
	}
	w.Attached(poolKey{}).(*pool).worker = backendtest.Worker(t, "http://"+m.Addr().String(), announcing(balancer.ProxyProtocolV2))
	x := of("192.0.2.7:1")
	if kind := securityOf(target{}, nil, "", Announcement(poolOf(w).worker, x, &Call{})); poolOf(w).find(kind) != nil {
		t.Error("a connection with a header of version 1 would be used for version 2")
	}
	if poolOf(w).find(security{}) != nil {
		t.Error("a connection with a header would be used without")
	}
	for i, want := range []string{"TCP4 192.0.2.7 10.0.0.1 1 80", "TCP4 192.0.2.7 10.0.0.1 2 80", "TCP4 192.0.2.8 10.0.0.1 1 80", "UNKNOWN", "TCP4 192.0.2.7 10.0.0.1 1 81"} {
		m.conn(t, i).SetReadDeadline(time.Now().Add(10 * time.Second))
		if line, err := bufio.NewReader(m.conn(t, i)).ReadString('\n'); line != "PROXY "+want+"\r\n" {
			t.Errorf("connection %d begins with %q, %v", i, line, err)
		}
	}
}

// TestAnnouncedConnectionsAreNotKeptLong: no longer than their client's may idle.
func TestAnnouncedConnectionsAreNotKeptLong(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), announcing(balancer.ProxyProtocolV2))
	taken(t, w, of("192.0.2.7:1"))
	p := poolOf(w)
	if p.Sweep(Clock() + int64(4*time.Second)); Idle(w) != 1 {
		t.Error("it went too soon")
	}
	if p.Sweep(Clock() + int64(5*time.Second)); Idle(w) != 0 {
		t.Error("it is kept still")
	}
	never := of("192.0.2.7:1")
	never.Server.KeepAlive = false
	if taken(t, w, never); Idle(w) != 0 {
		t.Error("kept for a client whose connection ends")
	}
	for i := range 3 * MaxKinds {
		taken(t, w, of(fmt.Sprintf("192.0.2.7:%d", i+1)))
	}
	if n := Idle(w); n != MaxKinds {
		t.Errorf("%d kept", n)
	}
}

// TestTheHeaderGoesBeforeTLS: the handshake begins behind it.
func TestTheHeaderGoesBeforeTLS(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "https://"+m.Addr().String(), announcing(balancer.ProxyProtocolV1))
	secure := &TLS{Client: func(_ context.Context, c net.Conn, _ string, _ ...string) (net.Conn, error) {
		_, err := c.Write([]byte("hello"))
		return struct{ net.Conn }{c}, err
	}}
	c, err := Acquire(context.Background(), w, of("192.0.2.7:1"), &Call{TLS: secure}, false)
	if err != nil {
		t.Fatal(err)
	}
	c.Release(false)
	m.conn(t, 0).SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := io.ReadAll(m.conn(t, 0)); string(got) != "PROXY TCP4 192.0.2.7 10.0.0.1 1 80\r\nhello" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTheHeaderIsNotTraffic: what a connection began with counts neither as sent, nor against what is known of an end.
func TestTheHeaderIsNotTraffic(t *testing.T) {
	m := listen(t, "tcp", "127.0.0.1:0")
	w := backendtest.Worker(t, "http://"+m.Addr().String(), announcing(balancer.ProxyProtocolV1))
	c, err := Acquire(context.Background(), w, of("192.0.2.7:1"), &Call{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release(false)
	if c.Sent() != 0 {
		t.Errorf("%d bytes sent", c.Sent())
	}
	far := m.conn(t, 0)
	head := make([]byte, len("PROXY TCP4 192.0.2.7 10.0.0.1 1 80\r\n"))
	if _, err := io.ReadFull(far, head); err != nil || !strings.HasPrefix(string(head), "PROXY ") {
		t.Fatal(err)
	}
	far.Close()
	if _, wrote, err := c.Talk(time.Now(), []byte("GET"), nil, make([]byte, 10)); !wrote || err == nil {
		t.Fatal(wrote, err)
	}
	if c.raw && !c.Undelivered() {
		t.Error("it is not known that the member was gone before")
	}
}

// BenchmarkAnnouncement is what the header costs a request.
func BenchmarkAnnouncement(b *testing.B) {
	for _, p := range []balancer.ProxyProtocol{balancer.ProxyProtocolOff, balancer.ProxyProtocolV1, balancer.ProxyProtocolV2} {
		b.Run(p.String(), func(b *testing.B) {
			w := backendtest.Worker(b, "http://m", announcing(p))
			x := of("192.0.2.7:4711")
			b.ReportAllocs()
			for b.Loop() {
				Announcement(w, x, &Call{})
				x.Arena.Reset()
			}
		})
	}
}
