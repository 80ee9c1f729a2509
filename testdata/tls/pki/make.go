//go:build ignore

// make writes the certificates of the TLS stories. They are good for a hundred years; run it only to add
// one: all others change too, and every golden has to be recorded anew. hashed/ holds copies of ca.pem and
// ca.crl under the names that "openssl x509 -hash" and "openssl crl -hash" print, machines/ those of the
// machines with their keys.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"time"
)

var (
	from = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	to   = time.Date(2119, 12, 31, 23, 59, 58, 0, time.UTC)
	next = int64(0x0a00)
)

type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ec() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func write(name string, blocks ...*pem.Block) {
	f := must(os.Create(name))
	defer f.Close()
	for _, b := range blocks {
		if err := pem.Encode(f, b); err != nil {
			panic(err)
		}
	}
}

func cert(p pair) *pem.Block { return &pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw} }
func key(p pair) *pem.Block {
	return &pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(p.key))}
}

func sign(file string, by *pair, key crypto.Signer, c *x509.Certificate) pair {
	next += 3
	c.SerialNumber = big.NewInt(next)
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = from, to
	}
	if by == nil {
		by = &pair{c, key}
	}
	der := must(x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key))
	p := pair{must(x509.ParseCertificate(der)), key}
	write(file+".pem", cert(p))
	write(file+".key", &pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})
	return p
}

func authority(cn string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Stories"}, CommonName: cn}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature}
}

func host(cn string, names ...string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{Organization: []string{"Hosts"}, CommonName: cn}, DNSNames: names}
}

func user(cn string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Users"}, CommonName: cn}}
}

// name is a subject of attributes in this very order.
func name(pairs ...string) []byte {
	var seq pkix.RDNSequence
	for i := 0; i < len(pairs); i += 2 {
		var oid asn1.ObjectIdentifier
		for _, n := range splitInts(pairs[i]) {
			oid = append(oid, n)
		}
		seq = append(seq, pkix.RelativeDistinguishedNameSET{{Type: oid, Value: pairs[i+1]}})
	}
	return must(asn1.Marshal(seq))
}

func splitInts(s string) (out []int) {
	n := 0
	for _, c := range s + "." {
		if c == '.' {
			out, n = append(out, n), 0
			continue
		}
		n = n*10 + int(c-'0')
	}
	return out
}

type other struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue
}

// names are alternative names: hosts, mails, and one of a kind that crypto/x509 does not know.
func names(kind asn1.ObjectIdentifier, tag int, text string, hosts, mails []string) pkix.Extension {
	var list []asn1.RawValue
	for _, m := range mails {
		list = append(list, asn1.RawValue{Class: 2, Tag: 1, Bytes: []byte(m)})
	}
	for _, h := range hosts {
		list = append(list, asn1.RawValue{Class: 2, Tag: 2, Bytes: []byte(h)})
	}
	inner := must(asn1.Marshal(asn1.RawValue{Tag: tag, Bytes: []byte(text)}))
	der := must(asn1.MarshalWithParams(other{kind, asn1.RawValue{Class: 2, IsCompound: true, Bytes: inner}}, "tag:0"))
	list = append(list, asn1.RawValue{FullBytes: der})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: must(asn1.Marshal(list))}
}

func revoke(file string, by pair, number int64, from, to time.Time, list ...pair) {
	l := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: from, NextUpdate: to}
	for _, p := range list {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: p.cert.SerialNumber, RevocationTime: from})
	}
	write(file, &pem.Block{Type: "X509 CRL", Bytes: must(x509.CreateRevocationList(rand.Reader, l, by.cert, by.key))})
}

func main() {
	ca := sign("ca", nil, ec(), authority("Story CA"))
	foreign := sign("foreign", nil, ec(), authority("Foreign CA"))
	mid := sign("mid", &ca, ec(), authority("Story Middle"))
	write("both.pem", cert(ca), cert(foreign))
	write("ca-mid.pem", cert(ca), cert(mid))

	site := host("first.example")
	site.ExtraExtensions = []pkix.Extension{names(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7}, 22, "_https.first.example",
		[]string{"first.example", "same.example", "third.example", "*.wild.example"}, []string{"master@first.example"})}
	sign("site", &ca, ec(), site)
	sign("site-rsa", &ca, must(rsa.GenerateKey(rand.Reader, 2048)), host("first.example", "first.example", "rsa.example"))
	second := sign("second", &ca, ec(), host("second.example", "second.example"))
	write("second-both.pem", cert(second), key(second))
	under := sign("chained", &mid, ec(), host("chained.example", "chained.example"))
	write("chained-full.pem", cert(under), cert(mid))
	sign("self", nil, ec(), host("self.example", "self.example"))

	ann := user("ann")
	ann.RawSubject = name("2.5.4.6", "DE", "2.5.4.8", "Bavaria", "2.5.4.7", "Munich", "2.5.4.10", "Users", "2.5.4.10", "More, \"users\"", "2.5.4.11", "Unit <1>;+",
		"2.5.4.3", "Ann Müller", "2.5.4.12", "Dr", "2.5.4.43", "AM", "2.5.4.42", "Ann", "2.5.4.4", "Müller", "2.5.4.13", " a note ",
		"0.9.2342.19200300.100.1.1", "ann", "1.2.840.113549.1.9.1", "ann@users.example", "2.5.4.5", "#42")
	ann.ExtraExtensions = []pkix.Extension{names(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}, 12, "ann@realm.example",
		[]string{"ann.users.example", "a2.users.example"}, []string{"ann@users.example", "ann2@users.example"}),
		{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 13}, Value: must(asn1.MarshalWithParams("a comment", "ia5"))},
		{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: must(asn1.MarshalWithParams("ä text", "utf8"))}}
	sign("ann", &ca, ec(), ann)
	bob := sign("bob", &ca, ec(), user("bob"))
	sign("carl", &ca, must(rsa.GenerateKey(rand.Reader, 2048)), user("carl"))
	sign("eve", &foreign, ec(), user("eve"))
	old := user("old")
	old.NotBefore, old.NotAfter = from, from.AddDate(1, 0, 0)
	sign("old", &ca, ec(), old)
	young := user("young")
	young.NotBefore, young.NotAfter = to.AddDate(-1, 0, 0), to
	sign("young", &ca, ec(), young)
	deep := sign("deep", &mid, ec(), user("deep"))
	write("deep-full.pem", cert(deep), cert(mid))
	server := user("server")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	sign("server", &ca, ec(), server)

	revoke("ca.crl", ca, 1, from, to, bob)
	revoke("mid.crl", mid, 1, from, to)
	revoke("old.crl", ca, 1, from, from.AddDate(1, 0, 0), bob)
	write("ca-mid.crl", mustBlock("ca.crl"), mustBlock("mid.crl"))

	responder := user("responder")
	responder.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	responder.KeyUsage = x509.KeyUsageDigitalSignature
	sign("responder", &ca, ec(), responder)

	sign("member", &ca, ec(), host("member.example", "member.example", "*.members.example", "localhost"))
	machine := sign("machine", &ca, ec(), user("machine"))
	write("machine-both.pem", cert(machine), key(machine))
	machine2 := sign("machine2", &mid, ec(), user("machine2"))
	write("machine2-both.pem", cert(machine2), key(machine2))
}

func mustBlock(file string) *pem.Block {
	b, _ := pem.Decode(must(os.ReadFile(file)))
	return b
}
