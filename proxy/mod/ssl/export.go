package ssl

import (
	"context"
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
	"SSL_SESSION_RESUMED",
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
	client []variable // with a client's certificate alone
	data   bool       // ExportCertData
}

func newExport(o options) *export {
	e := &export{data: o.has(exportCertData)}
	if !o.has(stdEnvVars) {
		return e
	}
	for _, n := range exported {
		e.always = append(e.always, variableOf(n))
	}
	for _, dn := range [...]string{"SSL_CLIENT_S_DN_", "SSL_CLIENT_I_DN_"} {
		for _, p := range parts {
			e.client = append(e.client, variableOf(dn+p))
		}
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
	if len(s.PeerCertificates) == 0 {
		return nil
	}
	put(x, e.client)
	if e.client != nil {
		e.names(x)
	}
	if e.data {
		x.Env.Set("SSL_CLIENT_CERT", variableOf("SSL_CLIENT_CERT").of(x))
		for i := range s.PeerCertificates {
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

// names are the client's other names, and further attributes of the same kind (CN_1, CN_2 …).
func (e *export) names(x *exchange.Exchange) {
	c := x.Conn.TLS.PeerCertificates[0]
	for i, n := range c.DNSNames {
		x.Env.Set("SSL_CLIENT_SAN_DNS_"+strconv.Itoa(i), n)
	}
	for i, n := range c.EmailAddresses {
		x.Env.Set("SSL_CLIENT_SAN_Email_"+strconv.Itoa(i), n)
	}
	for _, v := range e.client {
		for i := 1; x.Env.Has(v.name); i++ {
			more := variableOf(v.name + "_" + strconv.Itoa(i))
			text := more.of(x)
			if text == "" {
				break
			}
			x.Env.Set(more.name, text)
		}
	}
}
