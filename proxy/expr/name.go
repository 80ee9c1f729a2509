package expr

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"balancerd/proxy/exchange"
)

// nameAttribute is one attribute of a certificate's name.
type nameAttribute struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue
}

// The sets of a name; crypto/x509/pkix would lose what kind of text a value is.
type nameSetSET []nameAttribute

func parseName(raw []byte) []nameSetSET {
	var seq []nameSetSET
	if rest, err := asn1.Unmarshal(raw, &seq); err != nil || len(rest) > 0 {
		return nil
	}
	return seq
}

// attributesOf are the values of one kind, in the name's order.
func attributesOf(raw []byte, oid string) []asn1.RawValue {
	var out []asn1.RawValue
	for _, set := range parseName(raw) {
		for _, a := range set {
			if a.ID.String() == oid {
				out = append(out, a.Value)
			}
		}
	}
	return out
}

// The kinds of text that package asn1 has no names for.
const (
	tagVisible   = 26
	tagUniversal = 28
)

// characters are a text's, whatever it is encoded in.
func characters(v asn1.RawValue) []rune {
	switch v.Tag {
	case asn1.TagUTF8String:
		return []rune(string(v.Bytes))
	case asn1.TagBMPString:
		var units []uint16
		for i := 0; i+1 < len(v.Bytes); i += 2 {
			units = append(units, uint16(v.Bytes[i])<<8|uint16(v.Bytes[i+1]))
		}
		return utf16.Decode(units)
	case tagUniversal:
		var out []rune
		for i := 0; i+3 < len(v.Bytes); i += 4 {
			out = append(out, rune(v.Bytes[i])<<24|rune(v.Bytes[i+1])<<16|rune(v.Bytes[i+2])<<8|rune(v.Bytes[i+3]))
		}
		return out
	}
	out := make([]rune, len(v.Bytes)) // Latin 1
	for i, b := range v.Bytes {
		out[i] = rune(b)
	}
	return out
}

// display is a value as UTF-8, or unchanged: a byte a character where that can be. Control characters
// are escaped (httpd: ssl_util_ssl.c asn1_string_convert; OpenSSL: ASN1_STRFLGS_ESC_CTRL).
func display(v asn1.RawValue, unchanged bool) string {
	var b []byte
	for _, r := range characters(v) {
		switch {
		case r < 0x20 || r == 0x7f:
			b = fmt.Appendf(b, "\\%02X", r)
		case r == '\\':
			b = append(b, `\\`...)
		case !unchanged:
			b = utf8.AppendRune(b, r)
		case r < 0x100:
			b = append(b, byte(r))
		case r < 0x10000:
			b = fmt.Appendf(b, `\U%04X`, r)
		default:
			b = fmt.Appendf(b, `\W%08X`, r)
		}
	}
	return string(b)
}

// naming is what mod_ssl keeps in StateTLS.
type naming interface {
	LegacyNames() bool // SSLOptions LegacyDNStringFormat
}

// wholeName prints a name as RFC 2253 does, or in the old way.
func wholeName(x *exchange.Exchange, raw []byte) string {
	if n, ok := x.State[exchange.StateTLS].(naming); ok && n.LegacyNames() {
		return SlashName(raw)
	}
	return oneLine(raw)
}

// oneLine prints a name as OpenSSL does for RFC 2253: the last part first, and the last of a set, multi-byte
// characters as they are.
func oneLine(raw []byte) string {
	var b strings.Builder
	for _, set := range slices.Backward(parseName(raw)) {
		for j, a := range slices.Backward(set) {
			switch {
			case j < len(set)-1:
				b.WriteByte('+')
			case b.Len() > 0:
				b.WriteByte(',')
			}
			b.WriteString(attributeName(a.ID) + "=")
			escapeDN(&b, string(characters(a.Value)))
		}
	}
	return b.String()
}

// SlashName prints a name as OpenSSL's X509_NAME_oneline does: "/C=DE/CN=ann", the parts of a set as "/OU=a+OU=b". It
// is the user's name of FakeBasicAuth.
func SlashName(raw []byte) string {
	var b []byte
	for _, set := range parseName(raw) {
		for i, a := range set {
			separator := byte('/')
			if i > 0 {
				separator = '+'
			}
			b = append(b, separator)
			b = append(append(b, attributeName(a.ID)...), '=')
			for _, c := range a.Value.Bytes {
				switch {
				case c < ' ' || c > '~':
					b = fmt.Appendf(b, `\x%02X`, c)
				case c == '/' || c == '+':
					b = append(b, '\\', c)
				default:
					b = append(b, c)
				}
			}
		}
	}
	return string(b)
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

// The kinds of alternative names that mod_ssl knows besides hosts and mail addresses.
const (
	UserPrincipalName = "1.3.6.1.4.1.311.20.2.3" // msUPN
	ServiceName       = "1.3.6.1.5.5.7.8.7"      // id-on-dnsSRV
)

// OtherNames are a certificate's alternative names of another kind, named by its OID (httpd:
// ssl_util_ssl.c modssl_X509_getSAN).
func OtherNames(c *x509.Certificate, oid string) []string {
	var out []string
	for i := range c.Extensions {
		if c.Extensions[i].Id.String() != "2.5.29.17" {
			continue
		}
		var list []asn1.RawValue
		if _, err := asn1.Unmarshal(c.Extensions[i].Value, &list); err != nil {
			return nil
		}
		for _, v := range list {
			if text, ok := otherName(v, oid); ok {
				out = append(out, text)
			}
		}
	}
	return out
}

func otherName(v asn1.RawValue, oid string) (string, bool) {
	if v.Class != asn1.ClassContextSpecific || v.Tag != 0 {
		return "", false
	}
	var id asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(v.Bytes, &id)
	if err != nil || id.String() != oid {
		return "", false
	}
	var outer, text asn1.RawValue
	if _, err := asn1.Unmarshal(rest, &outer); err != nil {
		return "", false
	}
	if _, err := asn1.Unmarshal(outer.Bytes, &text); err != nil {
		return "", false
	}
	switch {
	case oid == UserPrincipalName && text.Tag == asn1.TagUTF8String, oid == ServiceName && text.Tag == asn1.TagIA5String:
		return display(text, false), true
	}
	return "", false
}
