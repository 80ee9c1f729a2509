package exchange

import (
	"crypto/tls"
	"crypto/x509"
)

// TLS is what a connection's handshake came to. Immutable.
type TLS struct {
	tls.ConnectionState
	Own     *x509.Certificate // the certificate that was shown to the client
	Session []byte            // the session's id, the same when it is resumed; nil when it can't be
	Failed  string            // why the client's certificate is not vouched for, though it was let pass; "" for one that is
}
