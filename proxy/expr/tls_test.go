package expr

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

func clientCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	note, _ := asn1.MarshalWithParams("a note", "utf8")
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(0xabc), NotBefore: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), NotAfter: time.Now().Add(36 * time.Hour),
		Subject: pkix.Name{CommonName: "Ann, B", Organization: []string{"One", "Two"}, Country: []string{"DE"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "a@x.example"}}},
		DNSNames: []string{"a.example", "b.example"}, EmailAddresses: []string{"m@x.example"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: note}, {Id: asn1.ObjectIdentifier{1, 2, 3, 5}, Value: []byte{0x30, 0}}},
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTLS(t *testing.T) {
	c := clientCertificate(t)
	x := sample()
	x.Conn.Secure = true
	x.Conn.TLS = &exchange.TLS{ConnectionState: tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, ServerName: "sni.example",
		PeerCertificates: []*x509.Certificate{c, c}, VerifiedChains: [][]*x509.Certificate{{c}}}}
	for name, want := range map[string]string{
		"SSL_PROTOCOL": "TLSv1.2", "ssl_cipher": "ECDHE-RSA-AES256-GCM-SHA384", "SSL_CIPHER_USEKEYSIZE": "256", "SSL_CIPHER_ALGKEYSIZE": "256", "SSL_CIPHER_EXPORT": "false",
		"SSL_SESSION_RESUMED": "Initial", "SSL_TLS_SNI": "sni.example", "SSL_CLIENT_VERIFY": "SUCCESS", "SSL_COMPRESS_METHOD": "NULL", "SSL_SECURE_RENEG": "true",
		"SSL_VERSION_INTERFACE": "mod_ssl/2.4.71", "SSL_NOPE": "", "SSL_CLIENT_NOPE": "", "SSL_SESSION_ID": "",
		"SSL_CLIENT_M_VERSION": "3", "SSL_CLIENT_M_SERIAL": "0ABC", "SSL_CLIENT_V_START": "May  6 07:08:09 2024 GMT", "SSL_CLIENT_V_REMAIN": "1",
		"SSL_CLIENT_S_DN": `emailAddress=a@x.example,CN=Ann\, B,O=Two+O=One,C=DE`, "SSL_CLIENT_I_DN": "CN=CA", "SSL_CLIENT_S_DN_CN": "Ann, B", "SSL_CLIENT_S_DN_O": "One",
		"SSL_CLIENT_S_DN_O_1": "Two", "SSL_CLIENT_S_DN_O_2": "", "SSL_CLIENT_S_DN_Email": "a@x.example", "SSL_CLIENT_I_DN_CN": "CA", "SSL_CLIENT_S_DN_CN_x": "", "SSL_CLIENT_S_DN_CN_-1": "", "SSL_CLIENT_S_DN_CN_0_RAW": "Ann, B",
		"SSL_CLIENT_SAN_DNS_1": "b.example", "SSL_CLIENT_SAN_DNS_2": "", "SSL_CLIENT_SAN_Email_0": "m@x.example",
		"SSL_CLIENT_A_KEY": "id-ecPublicKey", "SSL_CLIENT_A_SIG": "ecdsa-with-SHA256",
		"SSL_CLIENT_CERT_RFC4523_CEA": `{ serialNumber 2748, issuer rdnSequence:"CN=CA" }`,
		"HTTPS":                       "on", "REQUEST_SCHEME": "https",
	} {
		of, ok := Variable(name)
		if !ok || of(x) != want {
			t.Errorf("%s is %q, want %q", name, of(x), want)
		}
	}
	for _, name := range []string{"SSL_CLIENT_CERT", "SSL_CLIENT_CERT_CHAIN_0"} {
		if of, _ := Variable(name); !strings.HasPrefix(of(x), "-----BEGIN CERTIFICATE-----\n") {
			t.Error(name, of(x))
		}
	}
	for text, want := range map[string]bool{"'a note' in PeerExtList('1.2.3.4')": true, "'' in PeerExtList('1.2.3.5')": false, "SSL('SSL_PROTOCOL') == 'TLSv1.2'": true} {
		if got := holds(t, text, Options{}, x); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	x.Conn.TLS = &exchange.TLS{ConnectionState: tls.ConnectionState{Version: tls.VersionTLS13, DidResume: true}}
	for name, want := range map[string]string{"SSL_PROTOCOL": "TLSv1.3", "SSL_CLIENT_VERIFY": "NONE", "SSL_CLIENT_S_DN": "", "SSL_SESSION_RESUMED": "Resumed", "SSL_CLIENT_CERT_CHAIN_0": ""} {
		if of, _ := Variable(name); of(x) != want {
			t.Errorf("%s is %q, want %q", name, of(x), want)
		}
	}
	x.Conn.TLS.PeerCertificates = []*x509.Certificate{c}
	if of, _ := Variable("SSL_CLIENT_VERIFY"); of(x) != "GENEROUS" {
		t.Error(of(x))
	}
}
