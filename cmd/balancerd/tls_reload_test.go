package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Certificates are read again at each reload; when one is no good the old ones go on serving.
func TestReloadReadsCertificatesAgain(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	put := func(name string) {
		for _, kind := range []string{".pem", ".key"} {
			b, err := os.ReadFile(pki(name + kind))
			if err != nil {
				t.Fatal(err)
			}
			p.write("own"+kind, string(b))
		}
	}
	shown := func() string {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	put("site")
	p.conf("LoadModule ssl_module modules/mod_ssl.so\nSSLEngine On\nSSLCertificateFile own.pem\nSSLCertificateKeyFile own.key\n")
	p.start()
	if got := shown(); got != "first.example" {
		t.Fatal(got)
	}
	put("second")
	p.reload(syscall.SIGUSR1)
	if got := shown(); got != "second.example" {
		t.Error("after a reload: ", got)
	}
	b, _ := os.ReadFile(pki("site.key"))
	p.write("own.key", string(b)) // the key of another certificate
	p.signal(syscall.SIGUSR1)
	p.until("the refusal is told", func() bool { return strings.Contains(p.read("error.log"), "AH02565") })
	if got := shown(); got != "second.example" {
		t.Error("after a bad one: ", got)
	}
	put("member")
	p.reload(syscall.SIGHUP)
	if got := shown(); got != "member.example" {
		t.Error("after a good one: ", got)
	}
}
