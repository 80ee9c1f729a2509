package ssl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// members are the TLS values of one load, by their settings: sections that say the same share one, and
// with it their connections.
type members struct {
	fsys directive.FileSystem // immutable
	warn func(string)         // immutable: a line for the start's log

	mu  sync.Mutex
	tls map[proxySettings]*backend.TLS // under mu
}

// Secure is the TLS towards members that a chain of scopes asks for, nil without SSLProxyEngine. It is
// for a site that Module was opened for.
func Secure(chain []*directive.Scope) (*backend.TLS, error) {
	set := proxies.Merged(chain...)
	if !set.engine.Or(false) {
		return nil, nil
	}
	m := loadOf(chain[0].Config).members
	if m == nil {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tls[set]; t != nil {
		return t, nil
	}
	c, err := newClient(m.fsys, &set)
	if err != nil {
		return nil, errors.New(err.Error() + fatal)
	}
	if m.tls == nil {
		m.tls = map[proxySettings]*backend.TLS{}
	}
	for _, text := range c.servers.warnings {
		m.warn(text)
	}
	t := &backend.TLS{Client: c.handshake, Renegotiates: c.late}
	m.tls[set] = t
	return t, nil
}

// client makes TLS connections to members. Immutable.
type client struct {
	config      *tls.Config
	sessions    tls.ClientSessionCache // by sessionOf
	versions    versions
	servers     *verifier
	checkName   bool
	checkCN     bool // only the common name
	checkExpire bool
	late        bool // a member may ask for a certificate later
}

func newClient(fsys directive.FileSystem, set *proxySettings) (*client, error) {
	list := parseCiphers(set.auth.ciphers.Or(defaultCiphers))
	asked := set.protocol.Or(allVersions)
	c := &client{versions: asked.usable(list.level), checkExpire: set.checkExpire.Or(true),
		sessions: tls.NewLRUClientSessionCache(mostMemberSessions)}
	if asked == 0 {
		return nil, errors.New("AH02231: No SSL protocols available [hint: SSLProtocol]")
	}
	if len(list.ids) == 0 {
		return nil, errors.New("AH01898: Unable to configure permitted SSL ciphers")
	}
	// httpd: ssl_engine_io.c ssl_io_filter_handshake
	c.checkName = set.checkName.Or(set.checkCN.Or(true)) && (set.checkCN.Or(true) || set.checkName.Or(false))
	c.checkCN = !c.checkName && set.checkCN.Or(false)
	var err error
	if c.servers, err = newVerifier(fsys, &set.auth, x509.ExtKeyUsageServerAuth, "SSLProxy", "of the proxy"); err != nil {
		return nil, err
	}
	if c.versions == 0 {
		c.servers.warnings = append(c.servers.warnings, noUsableVersion("SSLProxyProtocol"))
	}
	if c.servers.mode != verifyNone && len(c.servers.signers) == 0 {
		c.servers.warnings = append(c.servers.warnings, noAuthorities)
	}
	own, err := machinePairs(fsys, set)
	if err != nil {
		return nil, err
	}
	oldest, newest := c.versions.bounds()
	c.config = &tls.Config{MinVersion: oldest, MaxVersion: newest, CipherSuites: list.ids, InsecureSkipVerify: true, // verified below, by httpd's rules
		DynamicRecordSizingDisabled: true}
	if len(own) > 0 {
		c.late = c.versions != tls13
		c.config.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) { return acceptable(own, r), nil }
	}
	return c, nil
}

// acceptable is the first certificate that the member takes; an empty one for none.
func acceptable(own []tls.Certificate, r *tls.CertificateRequestInfo) *tls.Certificate {
	for i := range own {
		if r.SupportsCertificate(&own[i]) == nil {
			return &own[i]
		}
	}
	return &tls.Certificate{}
}

// handshake is backend.TLS's Client.
func (c *client) handshake(ctx context.Context, nc net.Conn, name string, protocols ...string) (net.Conn, error) {
	cfg := c.config.Clone()
	cfg.NextProtos = protocols
	cfg.ServerName = name // crypto/tls sends no address as a server name
	if c.late && !slices.Contains(protocols, exchange.H2) {
		answerLater(cfg)
	}
	cfg.ClientSessionCache = sessionOf{c.sessions, strings.Join([]string{nc.RemoteAddr().String(), name, strings.Join(protocols, " ")}, " ")}
	cfg.VerifyConnection = func(s tls.ConnectionState) error { return c.verify(&s, name) }
	t := tls.Client(nc, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, &handshakeError{err}
	}
	return t, nil
}

// handshakeError is why a handshake with a member failed.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// Is has what comes of it told as httpd's general error, unless its time was over.
func (e *handshakeError) Is(target error) bool {
	return target == exchange.ErrGeneral && !errors.Is(e.err, os.ErrDeadlineExceeded) && !errors.Is(e.err, context.DeadlineExceeded)
}

// Tell writes what the log has of it (httpd: ssl_engine_io.c ssl_io_filter_handshake, ssl_filter_io_shutdown).
func (e *handshakeError) Tell(log func(exchange.Level, string)) {
	var why *refusal
	switch late := (peerError("")); {
	case errors.As(e.err, &late):
		log(exchange.Info, e.Error())
	case errors.As(e.err, &why):
		log(why.level, why.text)
		log(exchange.Info, "AH02003: SSL Proxy connect failed")
	default:
		log(exchange.Info, "AH02003: SSL Proxy connect failed")
		log(exchange.Info, "SSL Library Error: "+e.Error())
	}
	log(exchange.Info, "AH01997: SSL handshake failed: sending 502")
}

// peerError is a member's certificate that OpenSSL has accepted, and httpd does not.
type peerError string

func (e peerError) Error() string { return string(e) }

// mostMemberSessions is how many sessions with members are remembered for a set of SSLProxy* settings.
const mostMemberSessions = 256

// sessionOf is the session with one member by one name: the next connection resumes it, which spares both sides the
// signature. The member's certificate is looked at again all the same.
type sessionOf struct {
	all tls.ClientSessionCache
	key string
}

// Get is tls.ClientSessionCache's; crypto/tls's own key knows no address.
func (o sessionOf) Get(string) (*tls.ClientSessionState, bool) { return o.all.Get(o.key) }

// Put is the same.
func (o sessionOf) Put(_ string, s *tls.ClientSessionState) { o.all.Put(o.key, s) }

// answerLater lets a member ask for a certificate once it knows the path, as httpd and IIS do. crypto/tls
// answers that up to TLS 1.2 alone, by another handshake: it has no post-handshake authentication
// (RFC 8446 section 4.6.2), and who will ask can't be known beforehand. HTTP/2 allows neither (RFC 9113
// section 9.2, RFC 8740).
func answerLater(cfg *tls.Config) {
	cfg.MaxVersion = min(cfg.MaxVersion, tls.VersionTLS12)
	cfg.Renegotiation = tls.RenegotiateFreelyAsClient
}

// verify says what is wrong with a member. The texts are those of httpd's log.
func (c *client) verify(s *tls.ConnectionState, name string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the member shows no certificate")
	}
	if !c.versions.has(s.Version) {
		return errors.New("the member speaks none of SSLProxyProtocol")
	}
	if _, err := c.servers.check(s.PeerCertificates); err != nil {
		return err
	}
	leaf := s.PeerCertificates[0]
	switch {
	case c.checkExpire && expired(leaf):
		return peerError("AH02004: SSL Proxy: Peer certificate is expired")
	case c.checkName && !named(leaf, name, true):
		return peerError("AH02411: SSL Proxy: Peer certificate does not match for hostname " + name)
	case c.checkCN && !named(leaf, name, false):
		return peerError("AH02005: SSL Proxy: Peer certificate CN mismatch: Certificate CN: " + leaf.Subject.CommonName + " Requested hostname: " + name)
	}
	return nil
}

// named reports whether a certificate has a name: among the alternative names of hosts (if all is set) or
// as its common name; "*." stands for one label. Addresses among the alternative names don't count (httpd: ssl_util_ssl.c modssl_X509_match_name).
func named(c *x509.Certificate, name string, all bool) bool {
	var ids []string
	if all {
		ids = append(ids, c.DNSNames...)
	}
	for _, n := range c.Subject.Names {
		if text, ok := n.Value.(string); ok && n.Type.String() == "2.5.4.3" {
			ids = append(ids, text)
			if !all {
				break
			}
		}
	}
	for _, id := range ids {
		if strings.EqualFold(id, name) {
			return true
		}
		if tail, ok := strings.CutPrefix(id, "*"); ok && strings.HasPrefix(tail, ".") {
			if i := strings.IndexByte(name, '.'); i >= 0 && strings.EqualFold(tail, name[i:]) {
				return true
			}
		}
	}
	return false
}
