package ssl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// secured is a configuration with its main server's chain, and Secure's answer.
func secured(t *testing.T, a *authority, conf string) (func(context.Context, net.Conn, string, ...string) (net.Conn, error), error) {
	t.Helper()
	r := sitetest.New(t, preload, strings.ReplaceAll(conf, "DIR", a.dir), modules()...)
	v, err := Secure([]*directive.Scope{r.Site.Config.Main})
	if v == nil {
		return nil, err
	}
	return v.Client, err
}

// memberOf answers each connection's handshake; seen gets what it saw.
func memberOf(t *testing.T, cfg *tls.Config) (addr string, seen chan tls.ConnectionState) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seen = make(chan tls.ConnectionState, 100)
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				c := tls.Server(nc, cfg)
				if c.Handshake() == nil {
					seen <- c.ConnectionState()
					c.Read(make([]byte, 1))
				}
			}()
		}
	}()
	return l.Addr().String(), seen
}

func TestMembers(t *testing.T) {
	a, b := newAuthority(t, "CA"), newAuthority(t, "Other")
	good := a.leaf("m", dns("m.example", "*.w.example"))
	old := a.leaf("old", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	cn := a.leaf("cn.example")
	alone := newAuthority(t, "alone").cert
	a.write("alone.pem", "CERTIFICATE", alone.Raw)
	a.revoke("list.pem", good)
	a.leaf("machine")
	foreign := b.leaf("m.example")
	on := "SSLProxyEngine On\n"
	ca := on + "SSLProxyVerify require\nSSLProxyCACertificateFile DIR/CA.pem\n"
	for _, c := range []struct {
		name, conf string
		member     tls.Certificate
		want       string // in the error; "" for none
	}{
		{"m.example", on, good, ""},
		{"x.w.example", on, good, ""},
		{"x.y.w.example", on, good, "AH02411"},
		{"n.example", on, good, "AH02411: SSL Proxy: Peer certificate does not match for hostname n.example"},
		{"n.example", on + "SSLProxyCheckPeerName Off\n", good, ""},
		{"n.example", on + "SSLProxyCheckPeerCN Off\n", good, ""},
		{"n.example", on + "SSLProxyCheckPeerCN Off\nSSLProxyCheckPeerName On\n", good, "AH02411"},
		{"n.example", on + "SSLProxyCheckPeerName Off\nSSLProxyCheckPeerCN On\n", good, "AH02005"},
		{"cn.example", on + "SSLProxyCheckPeerName Off\nSSLProxyCheckPeerCN On\n", cn, ""},
		{"cn.example", on, cn, ""},
		{"old", on, old, "AH02004"},
		{"old", on + "SSLProxyCheckPeerExpire Off\n", old, ""},
		{"old", ca + "SSLProxyCheckPeerExpire Off\n", old, "AH02276"},
		{"m.example", ca, good, ""},
		{"m.example", ca, foreign, "AH02276"},
		{"m.example", on + "SSLProxyVerify require\n", good, "AH02276"},
		{"m.example", strings.Replace(ca, "require", "optional_no_ca", 1), foreign, ""},
		{"m.example", ca + "SSLProxyCARevocationCheck leaf\nSSLProxyCARevocationFile DIR/list.pem\n", good, "certificate revoked"},
		{"cn.example", ca + "SSLProxyCARevocationCheck leaf\nSSLProxyCARevocationFile DIR/list.pem\n", cn, ""},
		{"m.example", ca + "SSLProxyVerifyDepth 0\n", good, "too long"},
		{"m.example", on + "SSLProxyProtocol TLSv1.2\n", good, ""},
	} {
		shake, err := secured(t, a, c.conf)
		if err != nil {
			t.Fatal(err)
		}
		addr, seen := memberOf(t, &tls.Config{Certificates: []tls.Certificate{c.member}})
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := shake(context.Background(), nc, c.name)
		switch {
		case err != nil && c.want == "" || err == nil && c.want != "":
			t.Errorf("%s, %q: %v", c.name, c.conf, err)
		case err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s, %q: %v, want %s", c.name, c.conf, err, c.want)
		case err == nil:
			s := <-seen
			if s.ServerName != c.name && strings.Contains(c.name, ".") {
				t.Errorf("server name %q", s.ServerName)
			}
			if strings.Contains(c.conf, "TLSv1.2") && s.Version != tls.VersionTLS12 {
				t.Errorf("version %x", s.Version)
			}
			sc.Close()
		}
		nc.Close()
	}
}

// TestMembersResume: the second connection to a member by the same name resumes the first one's session, and no other
// one does.
func TestMembersResume(t *testing.T) {
	a := newAuthority(t, "CA")
	cfg := &tls.Config{Certificates: []tls.Certificate{a.leaf("m")}}
	for _, versions := range []string{"TLSv1.3", "TLSv1.2"} {
		shake, err := secured(t, a, "SSLProxyEngine On\nSSLProxyCheckPeerName Off\nSSLProxyProtocol "+versions+"\n")
		if err != nil {
			t.Fatal(err)
		}
		first, seen := memberOf(t, cfg)
		second, seenToo := memberOf(t, cfg)
		for i, c := range []struct {
			addr, name string
			seen       chan tls.ConnectionState
			want       bool
		}{
			{first, "m", seen, false}, {first, "m", seen, true}, {first, "other", seen, false},
			{second, "m", seenToo, false}, {second, "m", seenToo, true}, {first, "m", seen, true},
		} {
			nc, err := net.Dial("tcp", c.addr)
			if err != nil {
				t.Fatal(err)
			}
			sc, err := shake(context.Background(), nc, c.name)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(sc, "x") // the member closes then
			io.ReadAll(sc)
			if got := (<-c.seen).DidResume; got != c.want {
				t.Errorf("%s, connection %d: resumed %t, want %t", versions, i+1, got, c.want)
			}
			nc.Close()
		}
	}
}

func TestMachineCertificate(t *testing.T) {
	a := newAuthority(t, "CA")
	own := a.leaf("machine")
	key, _ := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	appendFile(t, a.dir+"/machine.pem", "PRIVATE KEY", key)
	for _, c := range []struct {
		pool *x509.CertPool
		want int
	}{{a.pool(), 1}, {newAuthority(t, "Other").pool(), 0}, {nil, 1}} {
		addr, seen := memberOf(t, &tls.Config{Certificates: []tls.Certificate{a.leaf("m")}, ClientAuth: tls.RequestClientCert, ClientCAs: c.pool})
		shake, err := secured(t, a, "SSLProxyEngine On\nSSLProxyMachineCertificateFile DIR/machine.pem\n")
		if err != nil {
			t.Fatal(err)
		}
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shake(context.Background(), nc, "m"); err != nil {
			t.Fatal(err)
		}
		if s := <-seen; len(s.PeerCertificates) != c.want {
			t.Errorf("%d certificates shown, want %d", len(s.PeerCertificates), c.want)
		}
		nc.Close()
	}
}

func TestSecureSharesByContent(t *testing.T) {
	conf := "SSLProxyEngine On\n<Proxy http://a/>\nSSLProxyCheckPeerName Off\n</Proxy>\n<Proxy http://b/>\nSSLProxyCheckPeerName Off\n</Proxy>\n<Proxy http://c/>\nSSLProxyEngine Off\n</Proxy>\n<VirtualHost *:81>\nServerName v\nSSLProxyEngine Off\n</VirtualHost>\n"
	mods := append(modules(), sections())
	r := sitetest.New(t, preload, conf, mods...)
	main := r.Site.Config.Main
	of := func(chain ...*directive.Scope) any {
		v, err := Secure(chain)
		if err != nil {
			t.Fatal(err)
		}
		if v == nil {
			return nil
		}
		return v
	}
	a, b, c := main.Children[0], main.Children[1], main.Children[2]
	if of(main) == nil || of(main) != of(main) || of(main, a) != of(main, b) || of(main, a) == of(main) {
		t.Error("TLS values are not told apart by their settings")
	}
	if of(main, c) != nil || of(main, r.Site.Config.VHosts[0]) != nil {
		t.Error("SSLProxyEngine Off has TLS")
	}
}

// sections lets <Proxy> stand without the proxy.
func sections() site.Module {
	return site.Module{Name: "proxy", Table: directive.Table{{Name: "<Proxy", Open: directive.OpenSection}}}
}
