package http1

import (
	"crypto/tls"
	"net"
	"testing"

	"balancerd/proxy/backend"
)

func BenchmarkZZ(b *testing.B) {
	for _, kind := range []string{"plain", "members", "clients"} {
		b.Run(kind, func(b *testing.B) {
			body := make([]byte, 1024)
			answer := "HTTP/1.1 200 OK\r\nServer: member\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\nConnection: keep-alive\r\n\r\n" + string(body[:1018]) + "abcdef"
			serve, scheme := fixed(answer), "http://"
			if kind == "members" {
				serve, scheme = secured(b, serve), "https://"
			}
			m := newMember(b, serve)
			a := &app{worker: newWorker(b, scheme+m.Addr, nil), srv: usualServer()}
			a.srv.MaxKeepAlive = 0
			a.call = backend.Call{TLS: trusting}
			var f *front
			if kind == "clients" {
				f = newSecureFront(b, a)
			} else {
				f = newFront(b, a)
			}
			var c net.Conn
			var err error
			if kind == "clients" {
				c, err = tls.Dial("tcp", f.addr, &tls.Config{InsecureSkipVerify: true})
			} else {
				c, err = net.Dial("tcp", f.addr)
			}
			if err != nil {
				b.Fatal(err)
			}
			q, p := []byte(browser), make([]byte, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				c.Write(q)
				for got := 0; got < 1024+140; {
					n, err := c.Read(p[got:])
					if got += n; err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
