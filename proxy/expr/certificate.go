package expr

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/exchange"
)

// certificateVariable is SSL_CLIENT_name or SSL_SERVER_name: a part of a certificate (httpd:
// ssl_engine_vars.c ssl_var_lookup_ssl_cert). Certificates are looked into request by request; who asks
// for one pays.
func certificateVariable(name string, of func(*exchange.TLS) *x509.Certificate) func(*exchange.Exchange) string {
	part := certificatePart(name)
	if part == nil {
		return nothing
	}
	return func(x *exchange.Exchange) string {
		return ofTLS(x, func(s *exchange.TLS) string {
			if c := of(s); c != nil {
				return part(x, c)
			}
			return ""
		})
	}
}

type part func(*exchange.Exchange, *x509.Certificate) string

// certificatePrefixes are the parts that are numbered or named by the rest of the variable's name.
var certificatePrefixes = [...]struct {
	prefix string
	of     func(c *x509.Certificate, rest string) string
}{
	{"S_DN_", func(c *x509.Certificate, attr string) string { return attribute(c.RawSubject, attr) }},
	{"I_DN_", func(c *x509.Certificate, attr string) string { return attribute(c.RawIssuer, attr) }},
	{"SAN_DNS_", func(c *x509.Certificate, n string) string { return nth(c.DNSNames, n) }},
	{"SAN_EMAIL_", func(c *x509.Certificate, n string) string { return nth(c.EmailAddresses, n) }},
	{"SAN_OTHER_MSUPN_", func(c *x509.Certificate, n string) string { return nth(OtherNames(c, UserPrincipalName), n) }},
	{"SAN_OTHER_DNSSRV_", func(c *x509.Certificate, n string) string { return nth(OtherNames(c, ServiceName), n) }},
}

func certificatePart(name string) part {
	switch name {
	case "S_DN":
		return func(x *exchange.Exchange, c *x509.Certificate) string { return wholeName(x, c.RawSubject) }
	case "I_DN":
		return func(x *exchange.Exchange, c *x509.Certificate) string { return wholeName(x, c.RawIssuer) }
	}
	if f, ok := certificateParts[name]; ok {
		return func(_ *exchange.Exchange, c *x509.Certificate) string { return f(c) }
	}
	for i := range certificatePrefixes {
		if rest, ok := strings.CutPrefix(name, certificatePrefixes[i].prefix); ok {
			return func(_ *exchange.Exchange, c *x509.Certificate) string { return certificatePrefixes[i].of(c, rest) }
		}
	}
	return nil
}

const certificateTime = "Jan _2 15:04:05 2006 GMT"

var certificateParts = map[string]func(*x509.Certificate) string{
	"M_VERSION": func(c *x509.Certificate) string { return strconv.Itoa(c.Version) },
	"M_SERIAL":  serial,
	"V_START":   func(c *x509.Certificate) string { return c.NotBefore.UTC().Format(certificateTime) },
	"V_END":     func(c *x509.Certificate) string { return c.NotAfter.UTC().Format(certificateTime) },
	"V_REMAIN":  remain,
	"A_SIG":     signature,
	"A_KEY":     func(c *x509.Certificate) string { return keyNames[c.PublicKeyAlgorithm] },
	"CERT":      armour,
}

func serial(c *x509.Certificate) string {
	s := fmt.Sprintf("%X", c.SerialNumber)
	if len(s)%2 == 1 {
		s = "0" + s
	}
	return s
}

// remain is how many whole days are left.
func remain(c *x509.Certificate) string {
	return strconv.Itoa(max(0, int(time.Until(c.NotAfter)/(24*time.Hour))))
}

func armour(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

var keyNames = map[x509.PublicKeyAlgorithm]string{x509.RSA: "rsaEncryption", x509.DSA: "dsaEncryption", x509.ECDSA: "id-ecPublicKey", x509.Ed25519: "ED25519"}

var signatureNames = map[x509.SignatureAlgorithm]string{
	x509.MD5WithRSA: "md5WithRSAEncryption", x509.SHA1WithRSA: "sha1WithRSAEncryption", x509.SHA256WithRSA: "sha256WithRSAEncryption",
	x509.SHA384WithRSA: "sha384WithRSAEncryption", x509.SHA512WithRSA: "sha512WithRSAEncryption",
	x509.SHA256WithRSAPSS: "rsassaPss", x509.SHA384WithRSAPSS: "rsassaPss", x509.SHA512WithRSAPSS: "rsassaPss",
	x509.ECDSAWithSHA1: "ecdsa-with-SHA1", x509.ECDSAWithSHA256: "ecdsa-with-SHA256", x509.ECDSAWithSHA384: "ecdsa-with-SHA384",
	x509.ECDSAWithSHA512: "ecdsa-with-SHA512", x509.PureEd25519: "ED25519",
}

func signature(c *x509.Certificate) string {
	if n, ok := signatureNames[c.SignatureAlgorithm]; ok {
		return n
	}
	return "UNKNOWN"
}

// attributes are the short names of a name's attributes (httpd: ssl_var_lookup_ssl_cert_dn_rec). The
// first of two for the same is the one that is printed.
var attributes = [...]struct {
	name string
	oid  string
}{
	{"C", "2.5.4.6"}, {"ST", "2.5.4.8"}, {"SP", "2.5.4.8"}, {"L", "2.5.4.7"}, {"O", "2.5.4.10"}, {"OU", "2.5.4.11"}, {"CN", "2.5.4.3"},
	{"T", "2.5.4.12"}, {"I", "2.5.4.43"}, {"G", "2.5.4.42"}, {"S", "2.5.4.4"}, {"D", "2.5.4.13"},
	{"UID", "0.9.2342.19200300.100.1.1"}, {"EMAIL", "1.2.840.113549.1.9.1"},
}

// attribute is one attribute of a name: CN, or CN_1 for the second; with _RAW as it is written, not as
// UTF-8.
func attribute(raw []byte, which string) string {
	which, unchanged := strings.CutSuffix(which, "_RAW")
	index := 0
	if name, number, ok := strings.Cut(which, "_"); ok {
		i, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return ""
		}
		which, index = name, int(i)
	}
	for i := range attributes {
		if attributes[i].name != which {
			continue
		}
		if list := attributesOf(raw, attributes[i].oid); index < len(list) {
			return display(list[index], unchanged)
		}
		break
	}
	return ""
}

func nth(list []string, number string) string {
	n, err := strconv.ParseUint(number, 10, 14)
	if err != nil || len(number) > 4 || n >= uint64(len(list)) {
		return ""
	}
	return list[n]
}

// chainVariable is SSL_CLIENT_CERT_CHAIN_n: the n-th certificate that the client sent besides its own.
func chainVariable(number string) func(*exchange.Exchange) string {
	n, err := strconv.ParseUint(number, 10, 14)
	if err != nil {
		return nothing
	}
	return func(x *exchange.Exchange) string {
		return ofTLS(x, func(s *exchange.TLS) string {
			if n+1 >= uint64(len(s.PeerCertificates)) {
				return ""
			}
			return armour(s.PeerCertificates[n+1])
		})
	}
}

// assertion is the exact certificate assertion (RFC 4523 section 2.1).
func assertion(s *exchange.TLS) string {
	c := peer(s)
	if c == nil {
		return ""
	}
	return "{ serialNumber " + c.SerialNumber.String() + ", issuer rdnSequence:\"" + oneLine(c.RawIssuer) + "\" }"
}

// peerExtensions are the texts of an extension of the client's certificate, named by its OID
// (httpd: ssl_engine_vars.c ssl_ext_list). Only extensions that hold one string have a text.
func peerExtensions(r *run, oid string) []string {
	if r.x.Conn == nil || r.x.Conn.TLS == nil {
		return nil
	}
	c := peer(r.x.Conn.TLS)
	if c == nil {
		return nil
	}
	if o, ok := extensionNames[oid]; ok {
		oid = o
	}
	var list []string
	for i := range c.Extensions {
		if e := &c.Extensions[i]; e.Id.String() == oid {
			if text, ok := displayText(e.Value); ok {
				list = append(list, text)
			}
		}
	}
	return list
}

// extensionNames are OpenSSL's words for the extensions that hold a string.
var extensionNames = map[string]string{"nsComment": "2.16.840.1.113730.1.13", "Netscape Comment": "2.16.840.1.113730.1.13",
	"nsBaseUrl": "2.16.840.1.113730.1.2", "nsCaPolicyUrl": "2.16.840.1.113730.1.8", "nsSslServerName": "2.16.840.1.113730.1.12"}

func displayText(der []byte) (string, bool) {
	var v asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 || v.Class != asn1.ClassUniversal {
		return "", false
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagIA5String, asn1.TagPrintableString, 26: // 26: VisibleString
		return string(v.Bytes), true
	}
	return "", false
}
