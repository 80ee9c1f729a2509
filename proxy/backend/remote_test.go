package backend

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// A remote proxy that is asked for a tunnel: what it answers decides, and nothing behind its answer is lost.
func TestTunnelThroughRemote(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		good   bool
	}{
		"granted":               {"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nBEHIND", true},
		"granted by bare feeds": {"HTTP/1.0 200\n\nBEHIND", true},
		"no content":            {"HTTP/1.1 204 No Content\r\n\r\n", false},
		"credentials wanted":    {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", false},
		"junk":                  {"SSH-2.0-x\r\n\r\n", false},
		"closed":                {"", false},
		"half a head":           {"HTTP/1.1 200 OK\r\n", false},
		"never ending":          {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 5000), false},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			asked := make(chan string, 1)
			go func() {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				defer nc.Close()
				var head strings.Builder
				for r := bufio.NewReader(nc); ; {
					line, err := r.ReadString('\n')
					if err != nil || line == "\r\n" {
						break
					}
					head.WriteString(line)
				}
				asked <- head.String()
				io.WriteString(nc, c.answer)
			}()
			r := &Remote{Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port), Authorization: "Basic eDp5"}
			x := &exchange.Exchange{Server: &exchange.Server{Token: "Apache"}}
			set := balancer.NewWorkerSettings()
			call := &Call{}
			nc, err := r.connect(context.Background(), newDialer(&set, call), x, call, target{scheme: "https", host: "::1", port: 443})
			if want := "CONNECT [::1]:443 HTTP/1.0\r\nProxy-Authorization: Basic eDp5\r\nProxy-agent: Apache\r\n"; <-asked != want {
				t.Error("it was asked something else")
			}
			if (err == nil) != c.good {
				t.Fatal(err)
			}
			if err == nil {
				defer nc.Close()
				if b, _ := io.ReadAll(nc); string(b) != "BEHIND" {
					t.Errorf("%q", b)
				}
			}
		})
	}
}

// TestRemoteWithoutAddress: the name that is not known is the remote's, and no member's (httpd: 500, "DNS lookup failure for:"
// and the remote's host).
func TestRemoteWithoutAddress(t *testing.T) {
	r := &Remote{Host: "no-such-name.invalid", Port: 8080}
	set := balancer.NewWorkerSettings()
	call := &Call{}
	for _, scheme := range []string{"http", "https"} {
		_, err := r.connect(context.Background(), newDialer(&set, call), new(exchange.Exchange), call, target{scheme: scheme, host: "127.0.0.1", port: 80})
		var f *Failure
		if !errors.As(err, &f) || f.Kind != NoRemote || f.Host != r.Host {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}
