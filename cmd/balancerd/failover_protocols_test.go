//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"balancerd/testdata/ports"
)

// TestFailoverAcrossProtocols: members of all protocols that can't be reached give a request to the one that can, its body
// whole, whatever its length and framing.
func TestFailoverAcrossProtocols(t *testing.T) {
	p := newInstance(t)
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%s %s %d %x %v", r.Method, r.URL.Path, n, sum.Sum(nil), err)
	}))
	members, chunked := "BalancerMember http://{back} retry=0\n", "BalancerMember http://{back} retry=0\n"
	for _, scheme := range []string{"ajp", "fcgi", "scgi", "uwsgi", "http"} {
		two := fmt.Sprintf("BalancerMember %[1]s://127.0.0.1:%[2]d retry=0\nBalancerMember unix:{root}/none-%[1]s.sock|%[1]s://none-%[1]s retry=0\n", scheme, ports.Reserve(t))
		members += two
		if scheme != "scgi" && scheme != "uwsgi" { // which take no body of unknown length: 411
			chunked += two
		}
	}
	p.conf("LoadModule proxy_ajp_module x\nLoadModule proxy_fcgi_module x\nLoadModule proxy_scgi_module x\nLoadModule proxy_uwsgi_module x\n" +
		"<Proxy balancer://all>\n" + members + "ProxySet maxattempts=20\n</Proxy>\n<Proxy balancer://some>\n" + chunked + "ProxySet maxattempts=20\n</Proxy>\n" +
		"ProxyPass /chunked balancer://some/chunked\nProxyPass / balancer://all/\n")
	p.start()
	for _, n := range []int{0, 5, 16 << 10, 300_000, 3 << 20} {
		body := bytes.Repeat([]byte("0123456789"), n/10+1)[:n]
		want := fmt.Sprintf("%d %x <nil>", n, sha256.Sum256(body))
		for range 11 { // each member is the first to be asked once
			if status, got := p.ask("POST", "/known", bytes.NewReader(body)); status != 200 || got != "POST /known "+want {
				t.Errorf("%d bytes: %d %s, want %s", n, status, got, want)
			}
			if status, got := p.ask("PUT", "/chunked", struct{ io.Reader }{bytes.NewReader(body)}); status != 200 || got != "PUT /chunked "+want {
				t.Errorf("%d bytes in chunks: %d %s, want %s", n, status, got, want)
			}
		}
	}
	log := p.read("error.log")
	for _, scheme := range []string{"AJP", "FCGI", "SCGI", "UWSGI", "HTTP"} {
		if !strings.Contains(log, scheme+": attempt to connect to") && !strings.Contains(log, strings.ToLower(scheme)+": attempt to connect to") {
			t.Errorf("no member of %s was tried", scheme)
		}
	}
}
