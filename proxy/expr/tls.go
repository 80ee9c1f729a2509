package expr

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"os"
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// tlsVariable is %{SSL_name}: any name exists, and is empty without TLS or when nothing is known
// (httpd: ssl_engine_vars.c expr_var_fn).
func tlsVariable(name string) func(*exchange.Exchange) string {
	name = strings.ToUpper(name)
	for i := range tlsVariables {
		if v := &tlsVariables[i]; v.name == name {
			return func(x *exchange.Exchange) string { return ofTLS(x, v.of) }
		}
	}
	if v, ok := tlsVersions[name]; ok {
		return func(*exchange.Exchange) string { return v }
	}
	if n, ok := strings.CutPrefix(name, "CLIENT_CERT_CHAIN_"); ok {
		return chainVariable(n)
	}
	if part, ok := strings.CutPrefix(name, "CLIENT_"); ok {
		return certificateVariable(part, peer)
	}
	if part, ok := strings.CutPrefix(name, "SERVER_"); ok {
		return certificateVariable(part, func(s *exchange.TLS) *x509.Certificate { return s.Own })
	}
	return nothing
}

// tlsVariables are those of the connection. A table of functions: a new one is one line.
var tlsVariables = [...]struct {
	name string
	of   func(*exchange.TLS) string
}{
	{"PROTOCOL", protocol},
	{"CIPHER", func(s *exchange.TLS) string { return cipherOf(s).name }},
	{"CIPHER_EXPORT", func(s *exchange.TLS) string { return strconv.FormatBool(cipherOf(s).bits < 56) }},
	{"CIPHER_USEKEYSIZE", func(s *exchange.TLS) string { return strconv.Itoa(cipherOf(s).bits) }},
	{"CIPHER_ALGKEYSIZE", func(s *exchange.TLS) string { return strconv.Itoa(cipherOf(s).algorithm) }},
	{"SESSION_RESUMED", resumed},
	{"SESSION_ID", session},
	{"TLS_SNI", func(s *exchange.TLS) string { return s.ServerName }},
	{"SECURE_RENEG", func(s *exchange.TLS) string { return "true" }},
	{"COMPRESS_METHOD", func(s *exchange.TLS) string { return "NULL" }},
	{"CLIENT_VERIFY", verified},
	{"CLIENT_CERT_RFC4523_CEA", assertion},
}

var tlsVersions = map[string]string{"VERSION_INTERFACE": "mod_ssl/2.4.71", "VERSION_LIBRARY": "Go crypto/tls", "VERSION_LIBRARY_INTERFACE": "Go crypto/tls"}

func ofTLS(x *exchange.Exchange, of func(*exchange.TLS) string) string {
	if x.Conn == nil || x.Conn.TLS == nil {
		return ""
	}
	return of(x.Conn.TLS)
}

func protocol(s *exchange.TLS) string {
	switch s.Version {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return ""
}

func resumed(s *exchange.TLS) string {
	if s.DidResume {
		return "Resumed"
	}
	return "Initial"
}

// session is the session's id. TLS 1.3 has none on the wire: each connection gets one that nobody else
// has, as with OpenSSL.
func session(s *exchange.TLS) string {
	id := s.Session
	if s.Version == tls.VersionTLS13 && s.HandshakeComplete {
		id, _ = s.ExportKeyingMaterial("EXPORTER-balancerd-session-id", nil, 32)
	}
	return hex.EncodeToString(id)
}

// verified says what became of the client's certificate: a bad one never gets as far as a request,
// but where anything is taken.
func verified(s *exchange.TLS) string {
	switch {
	case s.Failed != "":
		return "FAILED:" + s.Failed
	case len(s.PeerCertificates) == 0:
		return "NONE"
	case len(s.VerifiedChains) > 0:
		return "SUCCESS"
	}
	return "GENEROUS"
}

func peer(s *exchange.TLS) *x509.Certificate {
	if len(s.PeerCertificates) == 0 {
		return nil
	}
	return s.PeerCertificates[0]
}

// cipher is a suite as OpenSSL names it, its secret bits, and the bits of its algorithm.
type cipher struct {
	name            string
	bits, algorithm int
}

var ciphers = map[uint16]cipher{
	tls.TLS_AES_128_GCM_SHA256:       {"TLS_AES_128_GCM_SHA256", 128, 128},
	tls.TLS_AES_256_GCM_SHA384:       {"TLS_AES_256_GCM_SHA384", 256, 256},
	tls.TLS_CHACHA20_POLY1305_SHA256: {"TLS_CHACHA20_POLY1305_SHA256", 256, 256},

	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       {"ECDHE-ECDSA-AES128-GCM-SHA256", 128, 128},
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       {"ECDHE-ECDSA-AES256-GCM-SHA384", 256, 256},
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: {"ECDHE-ECDSA-CHACHA20-POLY1305", 256, 256},
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256:       {"ECDHE-ECDSA-AES128-SHA256", 128, 128},
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA:          {"ECDHE-ECDSA-AES128-SHA", 128, 128},
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA:          {"ECDHE-ECDSA-AES256-SHA", 256, 256},
	tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA:              {"ECDHE-ECDSA-RC4-SHA", 128, 128},

	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:       {"ECDHE-RSA-AES128-GCM-SHA256", 128, 128},
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:       {"ECDHE-RSA-AES256-GCM-SHA384", 256, 256},
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: {"ECDHE-RSA-CHACHA20-POLY1305", 256, 256},
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256:       {"ECDHE-RSA-AES128-SHA256", 128, 128},
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:          {"ECDHE-RSA-AES128-SHA", 128, 128},
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA:          {"ECDHE-RSA-AES256-SHA", 256, 256},
	tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA:              {"ECDHE-RSA-RC4-SHA", 128, 128},
	tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA:         {"ECDHE-RSA-DES-CBC3-SHA", 112, 168},

	tls.TLS_RSA_WITH_AES_128_GCM_SHA256: {"AES128-GCM-SHA256", 128, 128},
	tls.TLS_RSA_WITH_AES_256_GCM_SHA384: {"AES256-GCM-SHA384", 256, 256},
	tls.TLS_RSA_WITH_AES_128_CBC_SHA256: {"AES128-SHA256", 128, 128},
	tls.TLS_RSA_WITH_AES_128_CBC_SHA:    {"AES128-SHA", 128, 128},
	tls.TLS_RSA_WITH_AES_256_CBC_SHA:    {"AES256-SHA", 256, 256},
	tls.TLS_RSA_WITH_RC4_128_SHA:        {"RC4-SHA", 128, 128},
	tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA:   {"DES-CBC3-SHA", 112, 168},
}

func cipherOf(s *exchange.TLS) cipher {
	if c, ok := ciphers[s.CipherSuite]; ok {
		return c
	}
	return cipher{name: tls.CipherSuiteName(s.CipherSuite)}
}

// tlsLookup is SSL(name): mod_ssl's own names, which are those of requests too, HTTP:field and ENV:name
// (httpd: ssl_engine_vars.c ssl_var_lookup).
func tlsLookup(r *run, name string) string { return SSL(r.x, name) }

// SSL is what %{name}x in a log and %{name}s in a Header show, "" when there is nothing to show.
func SSL(x *exchange.Exchange, name string) string {
	if f, ok := cutFold(name, "HTTP:"); ok {
		return x.Req.Header.Get(f)
	}
	if v, ok := cutFold(name, "ENV:"); ok {
		if t, ok := x.Notes.Get(v); ok {
			return t
		}
		if t, ok := x.Env.Get(v); ok {
			return t
		}
		return os.Getenv(v)
	}
	if of, ok := Variable(name); ok {
		return of(x)
	}
	return ""
}
