package ssl

import (
	"context"
	"crypto/x509"
	"strconv"

	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// exported are the variables of +StdEnvVars that can have a value (httpd: ssl_engine_kernel.c
// ssl_hook_Fixup_vars; ssl_engine_vars.c modssl_var_extract_dns).
var exported = [...]string{
	"SSL_VERSION_INTERFACE", "SSL_VERSION_LIBRARY", "SSL_PROTOCOL", "SSL_SECURE_RENEG", "SSL_COMPRESS_METHOD", "SSL_CIPHER", "SSL_CIPHER_EXPORT",
	"SSL_CIPHER_USEKEYSIZE", "SSL_CIPHER_ALGKEYSIZE", "SSL_CLIENT_VERIFY", "SSL_CLIENT_M_VERSION", "SSL_CLIENT_M_SERIAL", "SSL_CLIENT_V_START",
	"SSL_CLIENT_V_END", "SSL_CLIENT_V_REMAIN", "SSL_CLIENT_S_DN", "SSL_CLIENT_I_DN", "SSL_CLIENT_A_KEY", "SSL_CLIENT_A_SIG", "SSL_CLIENT_CERT_RFC4523_CEA",
	"SSL_SERVER_M_VERSION", "SSL_SERVER_M_SERIAL", "SSL_SERVER_V_START", "SSL_SERVER_V_END", "SSL_SERVER_S_DN", "SSL_SERVER_I_DN", "SSL_SERVER_A_KEY",
	"SSL_SERVER_A_SIG", "SSL_SESSION_ID", "SSL_SESSION_RESUMED",
}

// parts are the attributes of a name, each variable's last word.
var parts = [...]string{"C", "ST", "L", "O", "OU", "CN", "T", "I", "G", "S", "D", "UID", "Email"}

// variable is one to export: its name, and its value.
type variable struct {
	name string
	of   func(*exchange.Exchange) string
}

// export puts SSL variables into the environment. Immutable.
type export struct {
	always []variable
	sides  []side
	data   bool // ExportCertData
}

// side is one of the two certificates.
type side struct {
	prefix string
	of     func(*exchange.TLS) *x509.Certificate
	dns    []variable // the attributes of its names
	kind   string     // of the other alternative names that it may have, an OID
	other  string     // their variable
}

var sides = [...]side{
	{prefix: "SSL_SERVER_", of: func(s *exchange.TLS) *x509.Certificate { return s.Own }, kind: expr.ServiceName, other: "SAN_OTHER_dnsSRV_"},
	{prefix: "SSL_CLIENT_", of: peer, kind: expr.UserPrincipalName, other: "SAN_OTHER_msUPN_"},
}

func peer(s *exchange.TLS) *x509.Certificate {
	if len(s.PeerCertificates) == 0 {
		return nil
	}
	return s.PeerCertificates[0]
}

func newExport(o options) *export {
	e := &export{data: o.has(exportCertData)}
	if !o.has(stdEnvVars) {
		return e
	}
	for _, n := range exported {
		e.always = append(e.always, variableOf(n))
	}
	for _, s := range sides {
		for _, dn := range [...]string{"S_DN_", "I_DN_"} {
			for _, p := range parts {
				s.dns = append(s.dns, variableOf(s.prefix+dn+p))
			}
		}
		e.sides = append(e.sides, s)
	}
	return e
}

func variableOf(name string) variable {
	of, ok := expr.Variable(name)
	if !ok {
		of = func(*exchange.Exchange) string { return "" }
	}
	return variable{name, of}
}

func (e *export) step(_ context.Context, x *exchange.Exchange) error {
	s := x.Conn.TLS
	if s == nil {
		return nil
	}
	x.Env.Set("HTTPS", "on")
	if s.ServerName != "" {
		x.Env.Set("SSL_TLS_SNI", s.ServerName)
	}
	put(x, e.always)
	for i := range e.sides {
		if c := e.sides[i].of(s); c != nil {
			e.sides[i].names(x, c)
		}
	}
	if e.data {
		for _, n := range [...]string{"SSL_SERVER_CERT", "SSL_CLIENT_CERT"} {
			x.Env.Set(n, variableOf(n).of(x))
		}
		for i := range max(0, len(s.PeerCertificates)-1) {
			v := variableOf("SSL_CLIENT_CERT_CHAIN_" + strconv.Itoa(i))
			x.Env.Set(v.name, v.of(x))
		}
	}
	return nil
}

func put(x *exchange.Exchange, list []variable) {
	for i := range list {
		if v := list[i].of(x); v != "" {
			x.Env.Set(list[i].name, v)
		}
	}
}

// names are a certificate's names: the attributes, further ones of the same kind (CN_1, CN_2 …), and the
// alternative names.
func (s *side) names(x *exchange.Exchange, c *x509.Certificate) {
	put(x, s.dns)
	for _, v := range s.dns {
		for i := 1; x.Env.Has(v.name); i++ {
			more := variableOf(v.name + "_" + strconv.Itoa(i))
			text := more.of(x)
			if text == "" {
				break
			}
			x.Env.Set(more.name, text)
		}
	}
	number(x, s.prefix+"SAN_Email_", c.EmailAddresses)
	number(x, s.prefix+"SAN_DNS_", c.DNSNames)
	number(x, s.prefix+s.other, expr.OtherNames(c, s.kind))
}

func number(x *exchange.Exchange, name string, list []string) {
	for i, v := range list {
		x.Env.Set(name+strconv.Itoa(i), v)
	}
}
