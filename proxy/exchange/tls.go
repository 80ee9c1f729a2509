package exchange

import (
	"crypto/tls"
	"crypto/x509"
	"sync/atomic"
)

// TLS is what a connection's handshake came to: PeerCertificates are those that may be believed, or that
// the virtual host takes unverified. Immutable; a section that asks for a certificate replaces it.
type TLS struct {
	tls.ConnectionState
	Own     *x509.Certificate   // the certificate that was shown to the client
	Session []byte              // the session's id, the same when it is resumed; nil when it can't be
	Offered []*x509.Certificate // what the client has shown; nobody need have vouched for it
	Failed  string              // why the client's certificate is not vouched for, though it was let pass; "" for one that is
}

// Secured is a copy of the connection with other facts of TLS, for one request of several that run side
// by side.
func (c *Conn) Secured(t *TLS) *Conn {
	return &Conn{ID: c.ID, Remote: c.Remote, Local: c.Local, RemoteIP: c.RemoteIP, RemoteText: c.RemoteText, TLS: t, Secure: c.Secure, Announced: c.Announced,
		Kept: c.Kept, Logged: atomic.LoadUint32(&c.Logged)}
}
