package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A websocket in TLS on both sides: wss:// members.
func TestTunnelInTLS(t *testing.T) {
	t.Parallel()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pkiPair(t, "member")}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\n\r\n")
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(c, r.URL.Path+" "+line)
		}
	}))
	p := newInstance(t)
	p.conf(fmt.Sprintf("LoadModule ssl_module modules/mod_ssl.so\nLoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so\nSSLEngine On\nSSLCertificateFile %s\nSSLCertificateKeyFile %s\n"+
		"SSLProxyEngine On\nSSLProxyVerify require\nSSLProxyCACertificateFile %s\nProxyPass /chat wss://localhost:%d/ws\n",
		pki("site.pem"), pki("site.key"), pki("ca.pem"), l.Addr().(*net.TCPAddr).Port))
	p.start()
	c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, "GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "HTTP/1.1 ") && !strings.Contains(line, " 101 ") {
			t.Fatal(line)
		}
		if line == "\r\n" {
			break
		}
	}
	for i := range 3 {
		fmt.Fprintf(c, "message %d\n", i)
		if got, err := r.ReadString('\n'); err != nil || got != fmt.Sprintf("/ws message %d\n", i) {
			t.Fatal(got, err)
		}
	}
}
