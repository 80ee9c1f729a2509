package expr

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/exchange"
)

// certificateVariable is SSL_CLIENT_name: a part of a certificate (httpd: ssl_engine_vars.c
// ssl_var_lookup_ssl_cert). Certificates are looked into request by request; who asks for one pays.
func certificateVariable(name string, of func(*exchange.TLS) *x509.Certificate) func(*exchange.Exchange) string {
	part := certificatePart(name)
	if part == nil {
		return nothing
	}
	return func(x *exchange.Exchange) string {
		return ofTLS(x, func(s *exchange.TLS) string {
			if c := of(s); c != nil {
				return part(c)
			}
			return ""
		})
	}
}

func certificatePart(name string) func(*x509.Certificate) string {
	if f, ok := certificateParts[name]; ok {
		return f
	}
	if attr, ok := strings.CutPrefix(name, "S_DN_"); ok {
		return func(c *x509.Certificate) string { return attribute(&c.Subject, attr) }
	}
	if attr, ok := strings.CutPrefix(name, "I_DN_"); ok {
		return func(c *x509.Certificate) string { return attribute(&c.Issuer, attr) }
	}
	if n, ok := strings.CutPrefix(name, "SAN_DNS_"); ok {
		return func(c *x509.Certificate) string { return nth(c.DNSNames, n) }
	}
	if n, ok := strings.CutPrefix(name, "SAN_EMAIL_"); ok {
		return func(c *x509.Certificate) string { return nth(c.EmailAddresses, n) }
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
	"S_DN":      func(c *x509.Certificate) string { return oneLine(c.RawSubject) },
	"I_DN":      func(c *x509.Certificate) string { return oneLine(c.RawIssuer) },
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

// remain is how many days are left, the last one counted whole.
func remain(c *x509.Certificate) string {
	days := int(time.Until(c.NotAfter.Add(24*time.Hour)) / (24 * time.Hour))
	return strconv.Itoa(max(0, days))
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

// attribute is one attribute of a name: CN, or CN_1 for the second.
func attribute(n *pkix.Name, which string) string {
	which = strings.TrimSuffix(which, "_RAW")
	index := 0
	if name, number, ok := strings.Cut(which, "_"); ok {
		i, err := strconv.Atoi(number)
		if err != nil {
			return ""
		}
		which, index = name, i
	}
	for i := range attributes {
		if attributes[i].name != which {
			continue
		}
		for j := range n.Names {
			if n.Names[j].Type.String() != attributes[i].oid {
				continue
			}
			if index--; index < 0 {
				return fmt.Sprint(n.Names[j].Value)
			}
		}
		break
	}
	return ""
}

// oneLine prints a name as OpenSSL does for RFC 2253: the last part first, multi-byte characters as
// they are.
func oneLine(raw []byte) string {
	var seq pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &seq); err != nil {
		return ""
	}
	var b strings.Builder
	for i := len(seq) - 1; i >= 0; i-- {
		for j, atv := range seq[i] {
			switch {
			case j > 0:
				b.WriteByte('+')
			case b.Len() > 0:
				b.WriteByte(',')
			}
			b.WriteString(attributeName(atv.Type) + "=")
			escapeDN(&b, fmt.Sprint(atv.Value))
		}
	}
	return b.String()
}

func attributeName(oid asn1.ObjectIdentifier) string {
	text := oid.String()
	if name, ok := longNames[text]; ok {
		return name
	}
	return text
}

// longNames are what OpenSSL prints for the attributes; they differ from httpd's short ones.
var longNames = map[string]string{"2.5.4.6": "C", "2.5.4.8": "ST", "2.5.4.7": "L", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.3": "CN",
	"2.5.4.12": "title", "2.5.4.43": "initials", "2.5.4.42": "GN", "2.5.4.4": "SN", "2.5.4.13": "description", "2.5.4.5": "serialNumber",
	"2.5.4.9": "street", "2.5.4.17": "postalCode", "2.5.4.46": "dnQualifier", "2.5.4.65": "pseudonym",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress"}

// escapeDN escapes a value (RFC 2253 section 2.4).
func escapeDN(b *strings.Builder, v string) {
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(b, "\\%02X", c)
			continue
		case strings.IndexByte(`,+"\<>;`, c) >= 0, i == 0 && (c == '#' || c == ' '), i == len(v)-1 && c == ' ':
			b.WriteByte('\\')
		}
		b.WriteByte(v[i])
	}
}

func nth(list []string, number string) string {
	n, err := strconv.ParseUint(number, 10, 14)
	if err != nil || n >= uint64(len(list)) {
		return ""
	}
	return list[n]
}

// chainVariable is SSL_CLIENT_CERT_CHAIN_n: the n-th certificate that the client sent.
func chainVariable(number string) func(*exchange.Exchange) string {
	n, err := strconv.ParseUint(number, 10, 14)
	if err != nil {
		return nothing
	}
	return func(x *exchange.Exchange) string {
		return ofTLS(x, func(s *exchange.TLS) string {
			if n >= uint64(len(s.PeerCertificates)) {
				return ""
			}
			return armour(s.PeerCertificates[n])
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
