package ssl

import (
	"slices"

	"balancerd/apacheconf/directive"
)

// serves reports whether a connection whose handshake was one host's may carry requests for another: nil
// is a host without TLS (httpd: ssl_engine_kernel.c ssl_server_compatible, SSLVHostSNIPolicy).
func (p sniPolicy) serves(a, b *host) bool {
	switch {
	case p == policyInsecure:
		return true
	case p == policyStrict, a == nil, b == nil:
		return false
	case !sameAuth(&a.set, &b.set, p == policySecure):
		return false
	}
	return p == policyAuthOnly || sameRest(&a.set, &b.set)
}

// sameAuth: clients are authenticated in the same way; full: with the same ciphers.
func sameAuth(a, b *serverSettings, full bool) bool {
	return clientAuth(a.auth, full) == clientAuth(b.auth, full) && a.dnFile == b.dnFile && a.dnPath == b.dnPath
}

// sameSigners: a certificate that is good for one is good for the other too, whether it is needed or not.
func sameSigners(a, b *serverSettings) bool {
	x, y := clientAuth(a.auth, false), clientAuth(b.auth, false)
	x.verify, y.verify = directive.Opt[verifyMode]{}, directive.Opt[verifyMode]{}
	return x == y && a.ocsp == b.ocsp
}

// clientAuth is what counts when two are compared: a default is as good as its word.
func clientAuth(a authSettings, full bool) authSettings {
	a.verify = directive.Some(a.verify.Or(verifyNone))
	a.depth = directive.Some(a.depth.Or(defaultDepth))
	a.crlCheck = directive.Some(a.crlCheck.Or(crlNone))
	if !full {
		a.ciphers, a.ciphers13 = directive.Opt[string]{}, directive.Opt[string]{}
	}
	return a
}

func sameRest(a, b *serverSettings) bool {
	return a.protocol.Or(allVersions) == b.protocol.Or(allVersions) && sameSet(a.certs, b.certs) && sameSet(a.keys, b.keys)
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}
