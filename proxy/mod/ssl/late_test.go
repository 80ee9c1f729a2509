package ssl

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/backend"
	"balancerd/proxy/site/sitetest"
	"balancerd/testdata/ports"
)

// realHTTPD is Debian's.
const realHTTPD, realModules = "/usr/sbin/apache2", "/usr/lib/apache2/modules"

// askingHTTPD is a real httpd that wants a certificate of a's under /closed/ alone.
func askingHTTPD(t *testing.T, a *authority, protocol string) (addr string) {
	t.Helper()
	if _, err := os.Stat(realHTTPD); err != nil {
		t.Skip("needs Debian's apache2 package: ", err)
	}
	a.leaf("localhost", dns("localhost"))
	addr = fmt.Sprint("127.0.0.1:", ports.Reserve(t))
	root := t.TempDir()
	for _, dir := range []string{"open", "closed"} {
		os.MkdirAll(root+"/docs/"+dir, 0o755)
		os.WriteFile(root+"/docs/"+dir+"/x", []byte(dir), 0o644)
	}
	var b strings.Builder
	for _, m := range strings.Fields("mpm_event authn_core authz_core socache_shmcb ssl") {
		if f := filepath.Join(realModules, "mod_"+m+".so"); exists(f) {
			fmt.Fprintf(&b, "LoadModule %s_module %s\n", m, f)
		}
	}
	fmt.Fprintf(&b, "ServerRoot %[1]s\nDefaultRuntimeDir %[1]s\nPidFile %[1]s/pid\nErrorLog %[1]s/error.log\nLogLevel ssl:info\nServerName localhost\nListen %[2]s\nDocumentRoot %[1]s/docs\n"+
		"SSLEngine On\nSSLProtocol %[4]s\nSSLCertificateFile %[3]s/localhost.pem\nSSLCertificateKeyFile %[3]s/localhost.key\nSSLCACertificateFile %[3]s/CA.pem\n"+
		"KeepAliveTimeout 60\n<Location /closed/>\nSSLVerifyClient require\n</Location>\n", root, addr, a.dir, protocol)
	os.WriteFile(root+"/httpd.conf", []byte(b.String()), 0o644)
	cmd := exec.Command(realHTTPD, "-f", root+"/httpd.conf", "-DFOREGROUND")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(root + "/error.log")
			t.Logf("httpd said %s\n%s", out.String(), log)
		}
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr
		}
		if time.Now().After(end) {
			t.Fatal("httpd did not start: ", out.String())
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// machine is a certificate and its key in one file, as SSLProxyMachineCertificateFile wants them.
func machine(t *testing.T, a *authority, name string) {
	t.Helper()
	own := a.leaf(name)
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	appendFile(t, a.dir+"/"+name+".pem", "PRIVATE KEY", key)
}

// of is the TLS that a configuration has towards members.
func of(t *testing.T, a *authority, conf string) (*backend.TLS, *sitetest.Rig) {
	t.Helper()
	r := sitetest.New(t, preload, strings.ReplaceAll(conf, "DIR", a.dir), modules()...)
	v, err := Secure([]*directive.Scope{r.Site.Config.Main})
	if err != nil {
		t.Fatal(err)
	}
	return v, r
}

// A member that asks for the certificate once it knows the path gets it, on a connection that is kept.
func TestMachineCertificateAskedForLater(t *testing.T) {
	a := newAuthority(t, "CA")
	addr := askingHTTPD(t, a, "all")
	machine(t, a, "machine")
	v, _ := of(t, a, "SSLProxyEngine On\nSSLProxyVerify require\nSSLProxyCACertificateFile DIR/CA.pem\nSSLProxyMachineCertificateFile DIR/machine.pem\n")
	if !v.Renegotiates {
		t.Error("its connections may stay with event loops")
	}
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := v.Client(context.Background(), nc, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(c)
	for i, path := range []string{"open", "closed", "closed", "open", "closed"} {
		if got := over(c, in, "GET", path, ""); got != "200 "+path {
			t.Errorf("request %d, /%s/x: %s", i, path, got)
		}
	}
	if got := over(c, in, "POST", "closed", strings.Repeat("body ", 4000)); !strings.HasPrefix(got, "200") && !strings.HasPrefix(got, "405") {
		t.Errorf("a body: %s", got)
	}
	if n := c.(*tls.Conn).ConnectionState().Version; n != tls.VersionTLS12 {
		t.Errorf("version %x", n)
	}
}

// over asks for DIR/x on a connection that is kept.
func over(c net.Conn, in *bufio.Reader, method, dir, body string) string {
	fmt.Fprintf(c, "%s /%s/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", method, dir, len(body), body)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return "error " + err.Error()
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "error " + err.Error()
	}
	return res.Status[:3] + " " + string(b)
}

// Which versions are spoken, and whether event loops may serve the connections.
func TestVersionsWithMachineCertificates(t *testing.T) {
	a := newAuthority(t, "CA")
	machine(t, a, "machine")
	own := "SSLProxyMachineCertificateFile DIR/machine.pem\n"
	os.Mkdir(a.dir+"/empty", 0o755)
	for _, c := range []struct {
		conf      string
		protocols string // ALPN
		want      uint16
		late      bool
	}{
		{"", "", tls.VersionTLS13, false},
		{own, "", tls.VersionTLS12, true},
		{own, "h2", tls.VersionTLS13, true},
		{own + "SSLProxyProtocol TLSv1.3\n", "", tls.VersionTLS13, false},
		{"SSLProxyProtocol -all +TLSv1.3\n" + own, "", tls.VersionTLS13, false},
		{own + "SSLProxyProtocol +TLSv1.2 +TLSv1.3\n", "", tls.VersionTLS12, true},
		{own + "SSLProxyProtocol TLSv1.2\n", "", tls.VersionTLS12, true},
		{"SSLProxyMachineCertificatePath DIR/empty\n", "", tls.VersionTLS13, false},
	} {
		v, _ := of(t, a, "SSLProxyEngine On\n"+c.conf)
		if v.Renegotiates != c.late {
			t.Errorf("%q: asked later %v", c.conf, v.Renegotiates)
		}
		addr, seen := memberOf(t, &tls.Config{Certificates: []tls.Certificate{a.leaf("m")}, NextProtos: []string{"h2", "http/1.1"}})
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Client(context.Background(), nc, "m", strings.Fields(c.protocols)...); err != nil {
			t.Fatal(c.conf, err)
		}
		if s := <-seen; s.Version != c.want {
			t.Errorf("%q %s: version %x, want %x", c.conf, c.protocols, s.Version, c.want)
		}
		nc.Close()
	}
}

// Whoever shows a certificate is told what that costs, at the line.
func TestHintOfMachineCertificates(t *testing.T) {
	a := newAuthority(t, "CA")
	machine(t, a, "machine")
	for conf, want := range map[string]int{
		"SSLProxyMachineCertificateFile DIR/machine.pem\n":                              1,
		"SSLProxyMachineCertificatePath DIR\n":                                          1,
		"SSLProxyProtocol TLSv1.3\nSSLProxyMachineCertificateFile DIR/machine.pem\n":    0,
		"SSLProxyProtocol TLSv1.2\nSSLProxyMachineCertificateFile DIR/machine.pem\n":    0,
		"SSLProxyProtocol all -TLSv1\nSSLProxyMachineCertificateFile DIR/machine.pem\n": 1,
	} {
		r := sitetest.New(t, preload, strings.ReplaceAll(conf, "DIR", a.dir), modules()...)
		n := 0
		for _, h := range r.Site.Config.Hints {
			if strings.Contains(h.Text, "TLS 1.2") {
				n++
			}
		}
		if n != want {
			t.Errorf("%q: %d hints, want %d: %v", conf, n, want, r.Site.Config.Hints)
		}
	}
}
