package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What httpd 2.4.71 logs of tunnels, by how they end.
func TestTunnelsAreLogged(t *testing.T) {
	t.Parallel()
	const running = "proxy:trace1 AH10212: proxy: websocket: tunnel running (timeout 2.000000)"
	returns := func(status int) string {
		return fmt.Sprintf("proxy:trace1 AH10223: proxy: websocket: tunneling returns (%d)", status)
	}
	reset := func(side string) string {
		return "proxy:debug (104)Connection reset by peer: AH03308: ap_proxy_transfer_between_connections: error on " + side + " - ap_get_brigade"
	}
	for name, c := range map[string]struct {
		conf string
		do   func(client, member *net.TCPConn)
		want []string
	}{
		"the client ends it": {"", func(c, m *net.TCPConn) { c.Close() }, []string{running, returns(0)}},
		"the member ends it": {"", func(c, m *net.TCPConn) { m.Close() }, []string{running, returns(0)}},
		"nohalfclose":        {"SetEnv proxy-nohalfclose 1\n", func(c, m *net.TCPConn) { c.CloseWrite() }, []string{running, returns(-2)}},
		"the client resets":  {"", func(c, m *net.TCPConn) { c.SetLinger(0); c.Close() }, []string{running, reset("client"), returns(500)}},
		"the member resets":  {"", func(c, m *net.TCPConn) { m.SetLinger(0); m.Close() }, []string{running, reset("origin"), returns(500)}},
		"silence": {"", func(c, m *net.TCPConn) {},
			[]string{running, "proxy:trace2 AH10213: proxy: websocket: polling timed out (client=31, origin=31)", returns(504)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newInstance(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			p.conf("LoadModule env_module x\nTimeout 2\nLogLevel proxy:trace8 proxy_http:debug\n" + c.conf + "ProxyPass /x http://" + l.Addr().String() + "/x upgrade=websocket\n")
			p.start()
			client, member := p.upgraded(l)
			defer client.Close()
			defer member.Close()
			c.do(client, member)
			p.until("the tunnel's end is told", func() bool {
				if !strings.Contains(p.read("error.log"), "AH10223") {
					closeAfterEnd(client, member)
					return false
				}
				return true
			})
			if got, want := p.tunnelLines(), append([]string{"proxy_http:debug AH10239: HTTP: tunneling protocol websocket"}, c.want...); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// upgraded is a WebSocket, and its end at the member.
func (p *instance) upgraded(l net.Listener) (client, member *net.TCPConn) {
	p.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprint(c, "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	m, err := l.Accept()
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := http.ReadRequest(bufio.NewReader(m)); err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprint(m, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != 101 {
		p.t.Fatal(err)
	}
	c.SetReadDeadline(time.Time{})
	return c.(*net.TCPConn), m.(*net.TCPConn)
}

// closeAfterEnd has a side that has seen the other one's end end, too.
func closeAfterEnd(list ...*net.TCPConn) {
	for _, c := range list {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			if n, ok := err.(net.Error); !ok || !n.Timeout() {
				c.Close()
			}
		}
	}
}

var tunnelLine = regexp.MustCompile(`(?m)^\[[^\]]*\] \[(proxy\w*:\w+)\] \[pid[^\]]*\] (\([^)]*\)[^:]*: )?(?:\[client [^\]]*\] )?(AH(?:10239|10212|0330[78]|10213|10223|10224).*)$`)

// tunnelLines are the error log's lines of tunnels, without time and client.
func (p *instance) tunnelLines() (list []string) {
	for _, m := range tunnelLine.FindAllStringSubmatch(p.read("error.log"), -1) {
		list = append(list, m[1]+" "+m[2]+m[3])
	}
	return list
}

// A silent CONNECT is told at the level of errors.
func TestSilentConnect(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	_, at, _ := net.SplitHostPort(p.back)
	p.conf("LoadModule proxy_connect_module x\nProxyRequests On\nAllowCONNECT " + at + "\nTimeout 1\n<Proxy *>\nRequire all granted\n</Proxy>\n")
	p.start()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: h\r\n\r\n", p.back)
	p.until("it is told", func() bool { return strings.Contains(p.read("error.log"), "AH10224") })
	if got := strings.Join(p.tunnelLines(), "\n"); got != "proxy_connect:error AH10224: tunnel timed out" {
		t.Error(got)
	}
}
