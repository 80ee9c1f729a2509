package ssl

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	http1 "balancerd/proxy/http1/server"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// authority signs certificates into a folder of the test's.
type authority struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	next int64
}

func newAuthority(t testing.TB, name string) *authority {
	a := &authority{t: t, dir: t.TempDir(), next: 1}
	a.key = newKey(t)
	a.cert = a.sign(name, &a.key, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	})
	return a
}

func newKey(t testing.TB) crypto.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sign makes a certificate and its files NAME.pem and NAME.key.
func (a *authority) sign(name string, own *crypto.Signer, change ...func(*x509.Certificate)) *x509.Certificate {
	a.t.Helper()
	a.next++
	c := &x509.Certificate{SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	for _, f := range change {
		f(c)
	}
	parent := a.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, (*own).Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".pem", "CERTIFICATE", der)
	k, err := x509.MarshalPKCS8PrivateKey(*own)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".key", "PRIVATE KEY", k)
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// leaf is a certificate with a key of its own.
func (a *authority) leaf(name string, change ...func(*x509.Certificate)) tls.Certificate {
	key := newKey(a.t)
	return a.with(key, name, change...)
}

func (a *authority) with(key crypto.Signer, name string, change ...func(*x509.Certificate)) tls.Certificate {
	c := a.sign(name, &key, change...)
	return tls.Certificate{Certificate: [][]byte{c.Raw}, Leaf: c, PrivateKey: key}
}

// revoke writes a list of certificates that are no longer good.
func (a *authority) revoke(file string, list ...tls.Certificate) string {
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, c := range list {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(file, "X509 CRL", der)
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// echo answers each request with its virtual host and a few variables.
func echo() site.Module {
	return site.Module{Name: "echo", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.Handler = exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
				https, _ := x.Env.Get("HTTPS")
				protocol, _ := x.Env.Get("SSL_PROTOCOL")
				x.Res.Status = 200
				if x.Req.RawPath == "/long" {
					x.Res.Text(strings.Repeat("x", 100_000))
					return nil
				}
				x.Res.Text(strings.Join([]string{x.Server.Name, https, protocol, expr.SSL(x, "SSL_CLIENT_S_DN_CN"), expr.SSL(x, "SSL_CLIENT_VERIFY"), x.User}, "|"))
				return nil
			})
			return nil
		}, nil
	}}
}

func modules() []site.Module { return []site.Module{core.Module(), mpm.Module(), Module(), echo()} }

const preload = "ssl proxy socache_shmcb"

// rig serves a configuration, in which DIR is the authority's folder and PORT the port, over sockets.
type rig struct {
	t    testing.TB
	a    *authority
	site *site.Site
	log  *sitetest.LogBook
	addr string
}

func newRig(t testing.TB, a *authority, conf string) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := sitetest.New(t, preload, strings.NewReplacer("DIR", a.dir, "PORT", port).Replace(conf), modules()...)
	r := &rig{t: t, a: a, site: s.Site, log: s.Log, addr: l.Addr().String()}
	front := http1.New(s.Site, http1.Options{})
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c, state, err := Accept(s.Site, nc, 5*time.Second)
				if err != nil {
					nc.Close()
					return
				}
				front.ServeConn(c, state)
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); front.Close() })
	return r
}

// get asks for a path over TLS; the response is "status body", or the error.
func (r *rig) get(cfg *tls.Config, host, path string) string {
	c, err := tls.Dial("tcp", r.addr, cfg)
	if err != nil {
		return "error " + err.Error()
	}
	defer c.Close()
	return ask11(c, host, path)
}

func ask11(c net.Conn, host, path string) string {
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "error " + err.Error()
	}
	b, _ := io.ReadAll(res.Body)
	return res.Status[:3] + " " + string(b)
}

func (a *authority) client(name string, certs ...tls.Certificate) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: a.pool(), InsecureSkipVerify: name == "", Certificates: certs}
}

func rsaKey(t testing.TB) crypto.Signer {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func dns(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}
