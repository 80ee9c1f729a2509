package ssl

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

// A handshake ends in time: at RequestReadTimeout's handshake= or Timeout, whichever is sooner. What comes puts
// the first off, at its rate and up to its bound.
func TestHandshakeLimit(t *testing.T) {
	const s = time.Second
	begin := time.Now()
	for _, c := range []struct {
		longest time.Duration
		stage   exchange.ReadLimit
		came    int
		want    time.Duration // 0: never
	}{
		{0, exchange.ReadLimit{}, 0, 0},
		{60 * s, exchange.ReadLimit{}, 500, 60 * s},
		{60 * s, exchange.ReadLimit{Timeout: 5 * s}, 500, 5 * s},
		{60 * s, exchange.ReadLimit{Timeout: 90 * s}, 0, 60 * s},
		{60 * s, exchange.ReadLimit{Timeout: 5 * s, Rate: 100}, 500, 10 * s},
		{60 * s, exchange.ReadLimit{Timeout: 5 * s, Max: 8 * s, Rate: 100}, 500, 8 * s},
		{7 * s, exchange.ReadLimit{Timeout: 5 * s, Max: 8 * s, Rate: 100}, 500, 7 * s},
		{0, exchange.ReadLimit{Timeout: 5 * s, Rate: 100}, 500, 10 * s},
	} {
		below := &deadlines{in: bytes.NewReader(make([]byte, c.came))}
		nc := limit(below, c.longest, c.stage)
		io.Copy(io.Discard, nc)
		got := time.Duration(0)
		if !below.by.IsZero() {
			got = below.by.Sub(begin)
		}
		if got < c.want || got > c.want+30*s || c.want == 0 && got != 0 || c.want > 0 && got.Truncate(s) != c.want && time.Since(begin) < s {
			t.Errorf("%v %+v: %v, want %v", c.longest, c.stage, got, c.want)
		}
		unlimit(nc)
		nc.Read(make([]byte, 1))
		if !below.by.IsZero() {
			t.Errorf("%v %+v: bounded after the handshake", c.longest, c.stage)
		}
	}
}

// deadlines is a connection that notes its deadline.
type deadlines struct {
	net.Conn
	in io.Reader
	by time.Time
}

func (d *deadlines) Read(p []byte) (int, error)     { return d.in.Read(p) }
func (d *deadlines) SetDeadline(by time.Time) error { d.by = by; return nil }

// THE table of what the log has of handshakes that failed (values of httpd).
func TestHandshakesInTheLog(t *testing.T) {
	a := newAuthority(t, "CA")
	other := newAuthority(t, "other")
	good, bad := a.leaf("good"), a.leaf("bad")
	a.revoke("list.pem", bad)
	r := newRig(t, a, "LogLevel info\n<VirtualHost *:PORT>\nServerName good\nSSLEngine On\nSSLCertificateFile DIR/good.pem\nSSLCertificateKeyFile DIR/good.key\n"+
		"SSLCACertificateFile DIR/CA.pem\nSSLVerifyClient optional_no_ca\nSSLCARevocationCheck leaf\nSSLCARevocationFile DIR/list.pem\n</VirtualHost>\n")
	for _, c := range []struct {
		cert tls.Certificate
		want string // "" for none
	}{
		{good, ""},
		{bad, "AH02276: Certificate Verification: Error (23): certificate revoked [subject: CN=bad / issuer: CN=CA / serial: "},
		{other.leaf("x"), "AH02276: Certificate Verification: Error ("}, // there is no list of an unknown signer
	} {
		r.log.Take()
		cfg := a.client("good", c.cert)
		cfg.InsecureSkipVerify = true
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.cert, nil }
		nc, err := tls.Dial("tcp", r.addr, cfg)
		if err == nil {
			got := ask11(nc, "good", "/")
			if strings.HasPrefix(got, "error") != (c.want != "") {
				t.Errorf("%s: %s", c.want, got)
			}
			nc.Close()
		}
		if c.want == "" {
			continue
		}
		text := ""
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			text += r.log.Take()
			if strings.Contains(text, c.want) && strings.Contains(text, "AH02008: SSL library error 1 in handshake (server good:") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("want %s in %q", c.want, text)
			}
		}
	}
}

// THE table of what the log has of a member that was refused (values of httpd).
func TestMembersInTheLog(t *testing.T) {
	a := newAuthority(t, "CA")
	m := a.leaf("m").Leaf
	for want, err := range map[string]error{
		"info AH02411: x|info AH01997: SSL handshake failed: sending 502": peerError("AH02411: x"),
		"error AH02040: Certificate Verification: Certificate Chain too long (chain has 2 certificates, but maximum allowed are only 1)|info AH02003: SSL Proxy connect failed|info AH01997: SSL handshake failed: sending 502": refused(&tooLong{2, 1}, []*x509.Certificate{m}),
		"info AH02003: SSL Proxy connect failed|info SSL Library Error: alert|info AH01997: SSL handshake failed: sending 502":                                                                                                  errors.New("alert"),
		"info AH02276: Certificate Verification: Error (12): CRL has expired " + described(m) + "|info AH02003: SSL Proxy connect failed|info AH01997: SSL handshake failed: sending 502":                                       refused(&found{m, errOldList}, []*x509.Certificate{m}),
	} {
		e := &handshakeError{err}
		var lines []string
		e.Tell(func(l exchange.Level, m string) { lines = append(lines, l.String()+" "+m) })
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if exchange.ErrnoText(e) != "(20014)Internal error (specific information not available)" {
			t.Error(exchange.ErrnoText(e))
		}
	}
	if got := exchange.ErrnoText(&handshakeError{os.ErrDeadlineExceeded}); got != "(70007)The timeout specified has expired" {
		t.Error(got)
	}
}

// Versions that OpenSSL does not speak any more let the server start, and no handshake succeed, as with httpd.
func TestOldVersionsAlone(t *testing.T) {
	a := newAuthority(t, "CA")
	good := a.leaf("good")
	for _, words := range []string{"TLSv1.1", "TLSv1 TLSv1.1", "all -TLSv1.2 -TLSv1.3"} {
		r := newRig(t, a, "LogLevel info\n<VirtualHost *:PORT>\nServerName good\nSSLEngine On\nSSLProtocol "+words+"\nSSLCertificateFile DIR/good.pem\nSSLCertificateKeyFile DIR/good.key\n</VirtualHost>\n")
		for _, most := range []uint16{tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
			nc, err := tls.Dial("tcp", r.addr, &tls.Config{ServerName: "good", RootCAs: a.pool(), MinVersion: tls.VersionTLS10, MaxVersion: most})
			if err == nil {
				nc.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "protocol version") {
				t.Errorf("%s, %x: %v", words, most, err)
			}
		}
		shake, err := secured(t, a, "SSLProxyEngine On\nSSLProxyProtocol "+words+"\n")
		if err != nil {
			t.Fatal(words, err)
		}
		addr, _ := memberOf(t, &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10})
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shake(context.Background(), nc, "good"); err == nil {
			t.Error(words, "a member was spoken to")
		}
		nc.Close()
	}
}
