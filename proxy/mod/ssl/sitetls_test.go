package ssl

import (
	"balancerd/proxy/exchange"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

const engine = "SSLEngine On\nSSLCertificateFile DIR/site.pem\nSSLCertificateKeyFile DIR/site.key\n"

var every = dns("first.example", "second.example", "third.example", "plain.example", "*.wild.example")

func begins(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestVirtualHostsByServerName(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site", every)
	a.leaf("other", dns("second.example"))
	r := newRig(t, a, engine+`
<VirtualHost *:PORT>
ServerName first.example
</VirtualHost>
<VirtualHost *:PORT>
ServerName second.example
ServerAlias *.wild.example
SSLCertificateFile DIR/other.pem
SSLCertificateKeyFile DIR/other.key
SSLOptions +StdEnvVars
</VirtualHost>
<VirtualHost *:PORT>
ServerName third.example
</VirtualHost>
<VirtualHost *:PORT>
ServerName plain.example
SSLEngine Off
</VirtualHost>
`)
	begins(t, "first", r.get(a.client("first.example"), "first.example", "/"), "200 first.example|on||")
	begins(t, "second", r.get(a.client("second.example"), "second.example", "/"), "200 second.example|on|TLSv1.3|")
	begins(t, "same settings", r.get(a.client("first.example"), "third.example", "/"), "200 third.example|")
	begins(t, "other certificate", r.get(a.client("first.example"), "second.example", "/"), "421 ")
	begins(t, "without TLS", r.get(a.client("first.example"), "plain.example", "/"), "421 ")
	begins(t, "no server name", r.get(a.client(""), "first.example", "/"), "200 first.example|")
	begins(t, "no server name, other host", r.get(a.client(""), "second.example", "/"), "421 ")
	begins(t, "stand-in", r.get(a.client("plain.example"), "plain.example", "/"), "200 plain.example|")
	begins(t, "strange protocol", r.get(&tls.Config{ServerName: "first.example", RootCAs: a.pool(), NextProtos: []string{"x"}}, "first.example", "/"), "200 ")
	if log := r.log.Take(); !strings.Contains(log, "AH02032: Hostname first.example provided via SNI and hostname second.example provided via HTTP have no compatible SSL setup for policy 'secure'") {
		t.Error(log)
	}
}

func TestPolicies(t *testing.T) {
	for _, c := range []struct{ directive, same, cert, auth string }{
		{"SSLVHostSNIPolicy strict", "421", "421", "421"},
		{"SSLVHostSNIPolicy authonly", "200", "200", "421"},
		{"SSLVHostSNIPolicy insecure", "200", "200", "403"},
		{"SSLStrictSNIVHostCheck On", "200", "421", "421"},
	} {
		a := newAuthority(t, "CA")
		a.leaf("site", every)
		a.leaf("other", every)
		r := newRig(t, a, engine+c.directive+`
<VirtualHost *:PORT>
ServerName first.example
</VirtualHost>
<VirtualHost *:PORT>
ServerName same.example
</VirtualHost>
<VirtualHost *:PORT>
ServerName cert.example
SSLCertificateFile DIR/other.pem
SSLCertificateKeyFile DIR/other.key
</VirtualHost>
<VirtualHost *:PORT>
ServerName auth.example
SSLVerifyClient optional
SSLCACertificateFile DIR/CA.pem
</VirtualHost>
`)
		for name, want := range map[string]string{"same": c.same, "cert": c.cert, "auth": c.auth} {
			begins(t, c.directive+" "+name, r.get(a.client("first.example"), name+".example", "/"), want)
		}
		if strings.Contains(c.directive, "Strict") {
			begins(t, "no name", r.get(a.client(""), "first.example", "/"), "403 ")
		}
	}
}

func TestPlainOnSecurePort(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site", every)
	r := newRig(t, a, engine)
	ask := func(text string) string {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, text)
		b, _ := io.ReadAll(c)
		return string(b)
	}
	got := ask("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
	begins(t, "GET", got, "HTTP/1.1 400 Bad Request\r\n")
	if !strings.Contains(got, "understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme to access this URL, please.<br />\n</p>") {
		t.Error(got)
	}
	if got := ask("DELETE /x HTTP/1.1\r\nHost: localhost\r\n\r\n"); strings.Contains(got, "HTTP/1") {
		t.Errorf("DELETE: %q", got)
	}
	if c := newRig(t, a, "# no TLS\n"); SecuredAt(c.site, exchange.AddrPort(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80})) {
		t.Error("a site without SSLEngine has TLS")
	}
}

func TestClientCertificates(t *testing.T) {
	a, b := newAuthority(t, "CA"), newAuthority(t, "Other")
	a.leaf("site", every)
	good, gone, foreign := a.leaf("ann"), a.leaf("bob"), b.leaf("eve")
	old := a.leaf("old", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	a.revoke("list.pem", gone)
	mid := a.leaf("mid", func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	under := &authority{t: t, dir: t.TempDir(), cert: mid.Leaf, key: mid.PrivateKey.(crypto.Signer), next: 50}
	deep := under.leaf("deep")
	deep.Certificate = append(deep.Certificate, mid.Leaf.Raw)
	ca := "SSLCACertificateFile DIR/CA.pem\n"
	for _, c := range []struct {
		name, conf string
		cert       *tls.Certificate
		want       string
	}{
		{"none wanted", "", &good, "200 localhost|on|||NONE|"},
		{"required", ca + "SSLVerifyClient require\n", &good, "200 localhost|on||ann|SUCCESS|"},
		{"required, none", ca + "SSLVerifyClient require\n", nil, "error "},
		{"required, foreign", ca + "SSLVerifyClient require\n", &foreign, "error "},
		{"required, expired", ca + "SSLVerifyClient require\n", &old, "error "},
		{"optional, none", ca + "SSLVerifyClient optional\n", nil, "200 localhost|on|||NONE|"},
		{"optional, foreign", ca + "SSLVerifyClient optional\n", &foreign, "error "},
		{"any issuer", ca + "SSLVerifyClient optional_no_ca\n", &foreign, "200 localhost|on||eve|"},
		{"any issuer, expired", ca + "SSLVerifyClient optional_no_ca\n", &old, "error "},
		{"no signers", "SSLVerifyClient require\n", &good, "error "},
		{"revoked", ca + "SSLVerifyClient require\nSSLCARevocationCheck leaf\nSSLCARevocationFile DIR/list.pem\n", &gone, "error "},
		{"not revoked", ca + "SSLVerifyClient require\nSSLCARevocationCheck chain\nSSLCARevocationFile DIR/list.pem\n", &good, "200 localhost|on||ann|"},
		{"not looked up", ca + "SSLVerifyClient require\nSSLCARevocationFile DIR/list.pem\n", &gone, "200 localhost|on||bob|"},
		{"too deep", ca + "SSLVerifyClient require\n", &deep, "error "},
		{"deep", ca + "SSLVerifyClient require\nSSLVerifyDepth 2\n", &deep, "200 localhost|on||deep|SUCCESS|"},
		{"in a section", ca + "<Location /in>\nSSLVerifyClient require\n</Location>\n", &good, "200 localhost|on||ann|SUCCESS|"},
		{"in a section, none", ca + "<Location /in>\nSSLVerifyClient require\n</Location>\n", nil, "403 "},
		{"in a section, foreign", ca + "<Location /in>\nSSLVerifyClient require\n</Location>\n", &foreign, "403 "},
		{"outside of the section", ca + "<Location /else>\nSSLVerifyClient require\n</Location>\n", &foreign, "200 localhost|on|||NONE|"},
		{"section's depth", ca + "SSLVerifyClient require\nSSLVerifyDepth 2\n<Location /in>\nSSLVerifyDepth 1\nSSLVerifyClient require\n</Location>\n", &deep, "403 "},
		{"user", ca + "SSLVerifyClient require\n<Location /in>\nSSLUserName SSL_CLIENT_S_DN_CN\n</Location>\n", &good, "200 localhost|on||ann|SUCCESS|ann"},
	} {
		r := newRig(t, a, engine+c.conf)
		cfg := a.client("first.example")
		if c.cert != nil {
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.cert, nil }
		}
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			cfg.MinVersion, cfg.MaxVersion = v, v
			begins(t, c.name, r.get(cfg, "localhost", "/in"), c.want)
		}
	}
}

func TestSectionsRequire(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site", every)
	r := newRig(t, a, engine+`
<Location /a>
SSLRequire %{SSL_CIPHER_USEKEYSIZE} >= 128 and %{SSL_PROTOCOL} eq "TLSv1.2"
</Location>
<Location /b>
SSLRequireSSL
</Location>
<Location /c>
SSLCipherSuite ECDHE-ECDSA-AES256-GCM-SHA384
</Location>
`)
	old := a.client("first.example")
	old.MaxVersion, old.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	begins(t, "1.3", r.get(a.client("first.example"), "localhost", "/a"), "403 ")
	begins(t, "1.2", r.get(old, "localhost", "/a"), "200 ")
	begins(t, "TLS", r.get(old, "localhost", "/b"), "200 ")
	begins(t, "cipher", r.get(old, "localhost", "/c"), "403 ")
	old.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
	begins(t, "cipher", r.get(old, "localhost", "/c"), "200 ")

	plain := newRig(t, a, "<Location /b>\nSSLRequireSSL\n</Location>\n")
	c, err := net.Dial("tcp", plain.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begins(t, "plain", ask11(c, "localhost", "/b"), "403 ")
}

func TestProtocolsAndCiphers(t *testing.T) {
	a := newAuthority(t, "CA")
	a.with(rsaKey(t), "rsa", every)
	a.leaf("site", every)
	try := func(conf string, min, max uint16, suites ...uint16) *tls.ConnectionState {
		r := newRig(t, a, engine+conf)
		c, err := tls.Dial("tcp", r.addr, &tls.Config{ServerName: "first.example", RootCAs: a.pool(), MinVersion: min, MaxVersion: max, CipherSuites: suites})
		if err != nil {
			return &tls.ConnectionState{}
		}
		defer c.Close()
		s := c.ConnectionState()
		return &s
	}
	for _, c := range []struct {
		conf          string
		min, max, got uint16
	}{
		{"", tls.VersionTLS10, tls.VersionTLS13, tls.VersionTLS13},
		{"", tls.VersionTLS10, tls.VersionTLS11, 0},
		{"SSLProtocol TLSv1.2\n", tls.VersionTLS10, tls.VersionTLS13, tls.VersionTLS12},
		{"SSLProtocol all -TLSv1.3\n", tls.VersionTLS13, tls.VersionTLS13, 0},
		{"SSLCipherSuite DEFAULT:@SECLEVEL=0\nSSLProtocol all -TLSv1.2\n", tls.VersionTLS10, tls.VersionTLS12, 0}, // no older version below a gap
		{"SSLCipherSuite DEFAULT:@SECLEVEL=0\nSSLProtocol all -TLSv1.2\n", tls.VersionTLS12, tls.VersionTLS12, 0},
		{"SSLCipherSuite DEFAULT:@SECLEVEL=0\nSSLProtocol all -TLSv1.2\n", tls.VersionTLS12, tls.VersionTLS13, tls.VersionTLS13},
	} {
		if got := try(c.conf, c.min, c.max).Version; got != c.got {
			t.Errorf("%q for %x..%x: %x", c.conf, c.min, c.max, got)
		}
	}
	if got := try("SSLCipherSuite ECDHE+AES256:!SHA1\n", tls.VersionTLS12, tls.VersionTLS12).CipherSuite; got != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 {
		t.Error(tls.CipherSuiteName(got))
	}
	if got := try("SSLCertificateFile DIR/rsa.pem\nSSLCertificateKeyFile DIR/rsa.key\n", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256); got.Version == 0 {
		t.Error("the RSA certificate is not offered")
	}
}

func TestResumptionStaysAtHome(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site", every)
	ann := a.leaf("ann")
	if err := os.WriteFile(a.dir+"/tickets", make([]byte, 48), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, extra := range []string{"", "SSLSessionTicketKeyFile DIR/tickets\n", "SSLSessionTickets Off\nSSLSessionCache shmcb:x(9000)\n"} {
		r := newRig(t, a, engine+extra+`
SSLVHostSNIPolicy insecure
<VirtualHost *:PORT>
ServerName first.example
SSLVerifyClient require
SSLCACertificateFile DIR/CA.pem
</VirtualHost>
<VirtualHost *:PORT>
ServerName second.example
SSLVerifyClient optional
SSLCACertificateFile DIR/CA.pem
</VirtualHost>
`)
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			cache := &oneSession{}
			with := a.client("first.example", ann)
			with.ClientSessionCache, with.MaxVersion = cache, v
			begins(t, "first visit", r.get(with, "first.example", "/"), "200 first.example|on||ann|")
			without := with.Clone()
			without.Certificates = nil
			begins(t, "resumed", r.get(without, "first.example", "/"), "200 first.example|on||ann|SUCCESS")
			without.ServerName = "second.example"
			begins(t, "elsewhere", r.get(without, "second.example", "/"), "200 second.example|on|||NONE|")
		}
	}
	r := newRig(t, a, engine+"SSLSessionTickets Off\n")
	cfg := a.client("first.example")
	cfg.ClientSessionCache = &oneSession{}
	for range 2 {
		c, err := tls.Dial("tcp", r.addr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		ask11(c, "localhost", "/")
		if c.ConnectionState().DidResume {
			t.Error("resumed without tickets")
		}
		c.Close()
	}
}

// oneSession offers whatever session there is, for any name.
type oneSession struct{ s *tls.ClientSessionState }

func (o *oneSession) Get(string) (*tls.ClientSessionState, bool) { return o.s, o.s != nil }
func (o *oneSession) Put(_ string, s *tls.ClientSessionState) {
	if s != nil {
		o.s = s
	}
}
