package ssl

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/site/sitetest"
)

// firstList is a list of version 1.
type firstList struct {
	Signed    firstSigned
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type firstSigned struct {
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	This, Next time.Time
	Revoked    []pkix.RevokedCertificate `asn1:"optional"`
}

// revokeFirst writes a list of version 1, as "openssl ca -gencrl" does without crl_extensions.
func (a *authority) revokeFirst(file string, next time.Time, list ...tls.Certificate) {
	a.t.Helper()
	ecdsaSHA256 := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}
	s := firstSigned{Algorithm: ecdsaSHA256, Issuer: asn1.RawValue{FullBytes: a.cert.RawSubject}, This: time.Now().Add(-2 * time.Hour).UTC(), Next: next.UTC()}
	for _, c := range list {
		s.Revoked = append(s.Revoked, pkix.RevokedCertificate{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now().UTC()})
	}
	der, err := asn1.Marshal(s)
	if err != nil {
		a.t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	sig, err := a.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		a.t.Fatal(err)
	}
	whole, err := asn1.Marshal(firstList{s, ecdsaSHA256, asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}})
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(file, "X509 CRL", whole)
}

// Lists without a version count as those with one, and what is wrong with a list is said by OpenSSL's
// number and text.
func TestFirstVersionLists(t *testing.T) {
	a := newAuthority(t, "CA")
	good, bad := a.leaf("good"), a.leaf("bad")
	a.revokeFirst("list.pem", time.Now().Add(time.Hour), bad)
	a.revokeFirst("old.pem", time.Now().Add(-time.Hour), bad)
	a.revokeFirst("empty.pem", time.Now().Add(time.Hour))
	for _, c := range []struct {
		file string
		cert tls.Certificate
		want string
	}{
		{"list.pem", good, ""},
		{"list.pem", bad, "AH02276: Certificate Verification: Error (23): certificate revoked"},
		{"empty.pem", bad, ""},
		{"old.pem", good, "AH02276: Certificate Verification: Error (12): CRL has expired"},
	} {
		conf := "SSLProxyEngine On\nSSLProxyVerify require\nSSLProxyCACertificateFile DIR/CA.pem\nSSLProxyCARevocationCheck chain\nSSLProxyCARevocationFile DIR/" + c.file + "\n"
		set := proxies.Merged(sitetest.New(t, preload, strings.ReplaceAll(conf, "DIR", a.dir), modules()...).Site.Config.Main)
		v, err := newClient(directive.OSFiles{}, &set)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.servers.check([]*x509.Certificate{c.cert.Leaf})
		if got, _, _ := strings.Cut(errorText(err), " [subject: CN="); got != c.want {
			t.Errorf("%s: %q, want %q", c.file, got, c.want)
		}
		if told := len(v.servers.warnings); (told == 1) != (c.file == "old.pem") {
			t.Errorf("%s: warnings %q", c.file, v.servers.warnings)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A list that somebody else has signed does not count.
func TestForgedFirstVersionList(t *testing.T) {
	a, b := newAuthority(t, "CA"), newAuthority(t, "CA")
	good := a.leaf("good")
	b.revokeFirst("list.pem", time.Now().Add(time.Hour), good)
	text, err := os.ReadFile(b.dir + "/list.pem")
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(a.dir+"/list.pem", text, 0o600)
	r := &revocations{checks: crlLeaf, by: map[string][]*x509.RevocationList{}}
	if err := r.read(directive.OSFiles{}, a.dir+"/list.pem"); err != nil {
		t.Fatal(err)
	}
	if err := r.check([]*x509.Certificate{good.Leaf, a.cert}); !errors.Is(err, errNoList) {
		t.Error(err)
	}
}

func TestBrokenLists(t *testing.T) {
	for _, der := range []string{"", "x", "\x30\x00", "\x30\x02\x30\x00", "\x30\x05\x30\x03\x02\x01\x01", "\x30\x80", "\x30\x04\x30\x02\x30\x00"} {
		if l, err := parseList([]byte(der)); err == nil {
			t.Errorf("%q: %v", der, l)
		}
	}
}

// What openssl itself writes is read.
func TestListsOfOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("needs openssl: ", err)
	}
	dir := t.TempDir()
	os.WriteFile(dir+"/index", nil, 0o600)
	os.WriteFile(dir+"/conf", []byte("[ca]\ndefault_ca=c\n[c]\ndatabase="+dir+"/index\ndefault_md=sha256\ndefault_crl_days=1\n"), 0o600)
	for _, args := range []string{
		"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=CA -keyout DIR/key -out DIR/cert",
		"ca -config DIR/conf -gencrl -keyfile DIR/key -cert DIR/cert -out DIR/list",
	} {
		if out, err := exec.Command(openssl, strings.Fields(strings.ReplaceAll(args, "DIR", dir))...).CombinedOutput(); err != nil {
			t.Skipf("openssl %s: %v %s", args, err, out)
		}
	}
	certs, err := readCertificates(directive.OSFiles{}, dir+"/cert")
	if err != nil {
		t.Fatal(err)
	}
	r := &revocations{checks: crlChain, by: map[string][]*x509.RevocationList{}}
	if err := r.read(directive.OSFiles{}, dir+"/list"); err != nil {
		t.Fatal(err)
	}
	if err := r.check([]*x509.Certificate{certs[0], certs[0]}); err != nil {
		t.Error(err)
	}
}
