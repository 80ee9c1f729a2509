package ssl

import (
	"crypto/tls"
	"slices"

	"balancerd/proxy/exchange"
)

// protocols are those of Protocols that TLS can carry, in that order, and HTTP/1.1 in any case
// (httpd: ssl_engine_kernel.c ssl_callback_alpn_select).
func (o *host) protocols() []string {
	var list []string
	for _, p := range o.server.Protocols {
		if (p == exchange.H2 || p == exchange.HTTP11) && o.server.Speaks(p) {
			list = append(list, p)
		}
	}
	if !slices.Contains(list, exchange.HTTP11) {
		list = append(list, exchange.HTTP11)
	}
	return list
}

// offer is what a client may choose from. Whose protocols are none of ours gets HTTP/1.1 all the same,
// without a word.
func (o *host) offer(hello *tls.ClientHelloInfo) []string {
	ours := o.config.NextProtos
	if slices.Contains(ours, exchange.H2) && !o.server.HTTP2.OldTLS && !o.modern(hello) {
		ours = slices.DeleteFunc(slices.Clone(ours), func(p string) bool { return p == exchange.H2 })
	}
	common := slices.DeleteFunc(slices.Clone(hello.SupportedProtos), func(p string) bool { return !slices.Contains(ours, p) })
	if len(common) == 0 && len(hello.SupportedProtos) > 0 {
		return nil
	}
	if o.server.ClientsOrder && len(common) > 0 {
		return common
	}
	return ours
}

// modern reports whether the handshake will end with TLS 1.3, or 1.2 and a cipher suite that HTTP/2 lets in
// (RFC 9113 section 9.2, appendix A): of such suites the one with forward secrecy goes first.
func (o *host) modern(hello *tls.ClientHelloInfo) bool {
	switch v := o.versions.best(hello.SupportedVersions); {
	case v >= tls.VersionTLS13:
		return true
	case v < tls.VersionTLS12:
		return false
	}
	return slices.ContainsFunc(modernSuites[:], func(id uint16) bool {
		return slices.Contains(hello.CipherSuites, id) && slices.Contains(o.config.CipherSuites, id)
	})
}

var modernSuites = [...]uint16{
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
}
