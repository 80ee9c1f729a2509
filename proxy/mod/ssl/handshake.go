package ssl

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
)

// handshakeState is one connection of a client during its handshake. It travels as the handshake's context: so all
// connections begin with the same configuration. Owned by the goroutine of the handshake.
type handshakeState struct {
	context.Context
	siteTLS *siteTLS
	local   netip.AddrPort
	base    *host // of the address's first virtual host

	host    *host             // whose settings the client's server name got
	own     *x509.Certificate // what was shown
	session []byte            // the id of a session that was resumed by TLS 1.2
}

type handshakeKey struct{}

// Value finds the state of the handshake whose context this is.
func (s *handshakeState) Value(key any) any {
	if key == (handshakeKey{}) {
		return s
	}
	return s.Context.Value(key)
}

func handshakeOf(hello *tls.ClientHelloInfo) *handshakeState {
	return hello.Context().Value(handshakeKey{}).(*handshakeState)
}

// helloConfig is what every handshake begins with: the ClientHello chooses the host and its settings.
var helloConfig = &tls.Config{
	MinVersion:             tls.VersionTLS10,
	SessionTicketsDisabled: true, // no keys are made for it
	GetConfigForClient:     func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return handshakeOf(hello).config(hello) },
}

// config is that of the host which the client's server name chooses. It is the host's own where that can be: the
// connection keeps it.
func (s *handshakeState) config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	s.host = s.siteTLS.choose(s.local, hello.ServerName, s.base)
	s.own = s.host.certs[0].Leaf
	c := s.host.configFor(hello)
	if c.SessionTicketsDisabled || s.host.versions.best(hello.SupportedVersions) == tls.VersionTLS13 {
		return c, nil // a session of TLS 1.3 has no id
	}
	if c == s.host.config {
		c = c.Clone()
	}
	c.UnwrapSession = s.resume
	return c, nil
}

// resume notes which session it is.
func (s *handshakeState) resume(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
	found, err := s.host.resumer.unwrap(identity, cs)
	if found != nil && cs.Version < tls.VersionTLS13 {
		id := sha256.Sum256(identity)
		s.session = id[:]
	}
	return found, err
}

// pick chooses among several certificates: the one whose kind of key the client names first, of those
// that it can make use of (OpenSSL: tls_choose_sigalg, ssl3_choose_cipher).
func (o *host) pick(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	best, rank := -1, 0
	nameless := *hello // names in certificates are the client's business
	nameless.ServerName = ""
	for i := range o.certs {
		if nameless.SupportsCertificate(&o.certs[i]) != nil {
			continue
		}
		if r := o.rank(hello, o.certs[i].Leaf.PublicKeyAlgorithm); best < 0 || r < rank {
			best, rank = i, r
		}
	}
	best = max(0, best)
	handshakeOf(hello).own = o.certs[best].Leaf
	if o.staples == nil || o.staples[best] == nil {
		return &o.certs[best], nil
	}
	return o.staples[best].certificate(slices.Contains(hello.Extensions, statusRequest)), nil
}

// statusRequest is the extension of clients that want to know whether our certificate is revoked.
const statusRequest = 5

// rank is where a client names a kind of key: among its signatures with TLS 1.3, among its suites with
// older ones. A server that honours its own order wants ECDSA first.
func (o *host) rank(hello *tls.ClientHelloInfo, kind x509.PublicKeyAlgorithm) int {
	at, all := 0, len(hello.SignatureSchemes)
	switch {
	case o.set.honor.Or(false):
		return -int(kind) // RSA < ECDSA < Ed25519
	case o.versions.best(hello.SupportedVersions) == tls.VersionTLS13:
		at = slices.IndexFunc(hello.SignatureSchemes, func(s tls.SignatureScheme) bool { return kindOf[s] == kind })
	default:
		all = len(hello.CipherSuites)
		at = slices.IndexFunc(hello.CipherSuites, func(id uint16) bool {
			i := slices.IndexFunc(suites[:], func(s suite) bool { return s.id == id })
			return i >= 0 && strings.Contains(suites[i].words, "ecdsa") == (kind != x509.RSA)
		})
	}
	if at < 0 {
		return all
	}
	return at
}

// kindOf are the signatures of TLS 1.3.
var kindOf = map[tls.SignatureScheme]x509.PublicKeyAlgorithm{
	tls.PSSWithSHA256: x509.RSA, tls.PSSWithSHA384: x509.RSA, tls.PSSWithSHA512: x509.RSA, tls.Ed25519: x509.Ed25519,
	tls.ECDSAWithP256AndSHA256: x509.ECDSA, tls.ECDSAWithP384AndSHA384: x509.ECDSA, tls.ECDSAWithP521AndSHA512: x509.ECDSA,
}

// configFor fits the host's configuration to a client: protocols in the client's order or those that it
// may not have.
func (o *host) configFor(hello *tls.ClientHelloInfo) *tls.Config {
	protocols := o.offer(hello)
	if slices.Equal(protocols, o.config.NextProtos) {
		return o.config
	}
	c := o.config.Clone()
	c.NextProtos = protocols
	return c
}

// state is what is told of the connection: with the chains of a client's certificate that was verified,
// and without a certificate that nobody asked for or vouches for, unless the host takes such.
func (s *handshakeState) state(cs tls.ConnectionState) *exchange.TLS {
	out := &exchange.TLS{ConnectionState: cs, Own: s.own, Session: s.session, Offered: cs.PeerCertificates}
	out.PeerCertificates = nil
	if len(out.Offered) > 0 && s.host.clients.mode != verifyNone {
		s.host.clients.record(out, s.host.clients.mode, s.host.clients.depth)
		if cs.Version < tls.VersionTLS13 {
			out.Failed = "" // OpenSSL forgets it: GENEROUS
		}
	}
	return out
}

const stopped = "AH02006: SSL handshake stopped: connection was closed"

// tell writes what the log has of a handshake that failed (httpd: ssl_engine_io.c ssl_io_filter_handshake).
func (s *handshakeState) tell(nc net.Conn, err error) {
	client := &exchange.Conn{RemoteText: nc.RemoteAddr().String()}
	var why *refusal
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		if s.base.server.HandshakeRead.Timeout > 0 {
			s.base.write("reqtimeout", exchange.Info, nil, client, "AH01382: Request handshake read timeout")
		}
		s.base.write("ssl", exchange.Info, io.EOF, client, stopped)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		s.base.write("ssl", exchange.Info, io.EOF, client, stopped)
	case errors.As(err, &why):
		s.base.write("ssl", why.level, nil, client, why.text)
		fallthrough
	default:
		s.base.write("ssl", exchange.Info, nil, client, "AH02008: SSL library error 1 in handshake (server "+s.base.id+")")
		s.base.write("ssl", exchange.Info, nil, nil, "SSL Library Error: "+err.Error())
	}
}

// write writes a line about a connection; client nil: it is not named.
func (o *host) write(module string, level exchange.Level, err error, client *exchange.Conn, message string) {
	to := o.server
	if to.ErrorLog == nil || level > to.Levels.Of(module) {
		return
	}
	to.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: module, Level: level, Errno: exchange.ErrnoText(err), Message: message, Conn: client, Server: to})
}
