package http1

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/server"
)

// announcing serves connections that must begin with a PROXY header, over TLS if shake is given. Answers tell whom it
// named.
func announcing(t *testing.T, shake server.TLSHandshake, limit time.Duration) *front {
	t.Helper()
	a := &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Local = 200, true
		client := x.Conn.Announced
		x.Res.Text(fmt.Sprintf("%s %s:%d of %s\n", x.Req.RawPath, client.IP, client.Port, x.Conn.RemoteIP))
	}}
	o := server.Options{ProxyProtocol: func(netip.AddrPort, netip.AddrPort) bool { return true }}
	a.srv = usualServer()
	a.srv.Timeout = limit
	if shake != nil {
		o.TLSHandshake = func(netip.AddrPort) server.TLSHandshake { return shake }
	}
	return startFront(t, a, o, nil)
}

const binary4 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\xa8\xc0\x42\xc0\xa8\xc0\x4d\x01\xf0\x01\xf1"

// The four exchanges of httpd's own t/modules/remoteip.t.
func TestProxyProtocolAsHttpdTestsIt(t *testing.T) {
	const get = "GET /index.html HTTP/1.1\r\nConnection: close\r\nHost: dummy\r\n\r\n"
	f := announcing(t, nil, 20*time.Second)
	for head, want := range map[string]string{
		"PROXY TCP4 192.168.192.66 192.168.192.77 1111 2222\r\n":                                       "/index.html 192.168.192.66:1111 of 127.0.0.1\n",
		"PROXY FOO 192.168.192.66 192.168.192.77 1111 2222\r\n":                                        "",
		"PROXY TCP6 2001:DB8::21f:5bff:febf:ce22:8a2e 2001:DB8::12f:8baa:eafc:ce29:6b2e 3333 4444\r\n": "/index.html 2001:DB8::21f:5bff:febf:ce22:8a2e:3333 of 127.0.0.1\n",
		binary4: "/index.html 192.168.192.66:496 of 127.0.0.1\n",
	} {
		if got := talk(t, f.addr, []byte(head+get)); want == "" && got != "" || want != "" && !(strings.HasPrefix(got, "HTTP/1.1 200 ") && strings.HasSuffix(got, "\r\n\r\n"+want)) {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
	f.app.logged(t, "remoteip:error  AH03499: RemoteIPProxyProtocol: unknown family 'FOO' in header 'PROXY FOO 192.168.192.66 192.168.192.77 1111 2222'")
}

// talk sends the pieces one after the other and reads to the end. A reset is an end.
func talk(t *testing.T, addr string, pieces ...[]byte) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	for _, p := range pieces {
		if _, err := c.Write(p); err != nil {
			break
		}
	}
	c.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(c)
	return string(b)
}

// However the header is cut, it is read once for all requests of the connection.
func TestProxyHeaderInPieces(t *testing.T) {
	f := announcing(t, nil, 20*time.Second)
	for _, head := range []string{"PROXY TCP4 192.0.2.7 198.51.100.1 4321 443\r\n", binary4, "PROXY UNKNOWN\r\n"} {
		var pieces [][]byte
		for _, b := range []byte(head + "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n") {
			pieces = append(pieces, []byte{b})
		}
		got := talk(t, f.addr, pieces...)
		if strings.Count(got, "HTTP/1.1 200 ") != 2 || !strings.Contains(got, "/a ") || !strings.Contains(got, "/b ") {
			t.Errorf("%q: %q", head, got)
		}
	}
}

// What httpd 2.4.71 says of headers that it takes, with LogLevel remoteip:debug.
func TestProxyHeadersAreTold(t *testing.T) {
	f := announcing(t, nil, 20*time.Second)
	_, port, _ := net.SplitHostPort(f.addr)
	for head, want := range map[string]string{"PROXY TCP4 192.0.2.7 198.51.100.1 4321 443\r\n": "192.0.2.7:4321", "PROXY TCP6 2001:DB8::1 ::1 1 2\r\n": "2001:DB8::1:1", binary4: "192.168.192.66:496", "PROXY UNKNOWN\r\n": "127.0.0.1:"} {
		talk(t, f.addr, []byte(head+"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))
		f.app.logged(t, "remoteip:debug  AH03503: RemoteIPProxyProtocol: enabled on connection to 127.0.0.1:"+port)
		f.app.logged(t, "remoteip:debug  AH03511: RemoteIPProxyProtocol: received valid PROXY header: "+want)
	}
}

// A connection that does not bring its header is closed without a word, also when its time is over.
func TestWithoutProxyHeader(t *testing.T) {
	f := announcing(t, nil, 100*time.Millisecond)
	for _, head := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PROXY TCP4 1.2.3.4", "\r\n\r\n\x00", "", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		if got := talk(t, f.addr, []byte(head)); got != "" {
			t.Errorf("%q: %q", head, got)
		}
	}
	f.app.logged(t, "remoteip:info (70014)End of file found AH10634: RemoteIPProxyProtocol: connection closed before a complete header was received")
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "PROXY TCP4 1.2.3.4")
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
		t.Errorf("%q %v", b, err)
	}
}

// The header stands in front of TLS, and not a byte of that is taken with it.
func TestProxyHeaderBeforeTLS(t *testing.T) {
	conf := selfSigned(t)
	f := announcing(t, func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
		c := tls.Server(nc, conf)
		err := c.Handshake()
		return c, &exchange.TLS{}, err
	}, 20*time.Second)
	for head, want := range map[string]string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 4321 443\r\n": "/ 192.0.2.7:4321 of 127.0.0.1\n", "PROXY UNKNOWN\r\n": " of 127.0.0.1\n", binary4: "/ 192.168.192.66:496 of 127.0.0.1\n", "": "", "PROXY \r\n": "",
	} {
		c, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		glued := &gluedConn{Conn: c, first: head}
		secure := tls.Client(glued, &tls.Config{InsecureSkipVerify: true})
		io.WriteString(secure, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		b, _ := io.ReadAll(secure)
		if got := string(b); want == "" && got != "" || !strings.HasSuffix(got, want) {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
		c.Close()
	}
}

// gluedConn sends a header in one write with what comes first.
type gluedConn struct {
	net.Conn
	first string
}

func (g *gluedConn) Write(p []byte) (int, error) {
	if g.first == "" {
		return g.Conn.Write(p)
	}
	b := append([]byte(g.first), p...)
	n, err := g.Conn.Write(b)
	n -= len(g.first)
	g.first = ""
	return max(0, n), err
}
