package ssl

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// host is TLS in front of one virtual host. Immutable.
type host struct {
	id       string // "name:port", as messages have it
	server   *exchange.Server
	config   *tls.Config
	certs    []tls.Certificate // at least one
	staples  []*staple         // of certs, nil where there is none
	resumer  resumer           // nil: no session is resumed
	versions versions
	clients  *verifier
	asks     bool // clients are asked for a certificate
	set      serverSettings
	log      func(exchange.Level, string)
	warnings []string
}

// newHost is nil for a server without TLS.
func newHost(c *directive.Config, s *site.Site, h *site.Host, log func(exchange.Level, string)) (*host, error) {
	chain := []*directive.Scope{c.Main}
	if h.Scope != c.Main {
		chain = append(chain, h.Scope)
	}
	set := servers.Merged(chain...)
	if !set.engine.Or(implied(s, h) && len(set.certs) > 0) {
		return nil, nil
	}
	main := servers.Merged(c.Main)
	set.dialog, set.staples, set.cached = main.dialog, main.staples, main.cached
	o := &host{set: set, log: log, id: serverID(h), server: h.Server}
	if err := o.fill(h.Scope); err != nil {
		return nil, err
	}
	return o, nil
}

// serverID is ssl_util_vhostid.
func serverID(h *site.Host) string {
	port := h.Server.Port
	if port == 0 {
		port = 443
	}
	return h.Server.Name + ":" + strconv.Itoa(port)
}

// implied: a server on an https listener has TLS unless it says otherwise
// (httpd: ssl_engine_init.c ssl_init_Module).
func implied(s *site.Site, h *site.Host) bool {
	for _, l := range s.Listeners {
		if l.Proto != "https" {
			continue
		}
		host, port, _ := net.SplitHostPort(l.Address)
		for _, a := range h.Addresses {
			if strconv.Itoa(a.Port) == port && (host == "::" || a.Any() || a.IP.String() == host) {
				return true
			}
		}
		if h.Server.Main && strconv.Itoa(h.Server.Port) == port {
			return true
		}
	}
	return false
}

func (o *host) fill(scope *directive.Scope) error {
	list := parseCiphers(o.set.auth.ciphers.Or(defaultCiphers))
	asked := o.set.protocol.Or(allVersions)
	if asked == 0 {
		return errors.New("AH02231: No SSL protocols available [hint: SSLProtocol]")
	}
	if o.versions = asked.usable(list.level); o.versions == 0 {
		o.warnings = append(o.warnings, noUsableVersion("SSLProtocol"))
	}
	if len(list.ids) == 0 {
		return errors.New("AH01898: Unable to configure permitted SSL ciphers")
	}
	var err error
	fsys := scope.Config.Files
	if o.clients, err = newVerifier(fsys, &o.set.auth, x509.ExtKeyUsageClientAuth, "SSL", o.id); err != nil {
		return err
	}
	o.warnings = append(o.warnings, o.clients.warnings...)
	if o.clients.ocsp, err = newValidator(fsys, &o.set.ocsp); err != nil {
		return err
	}
	if o.certs, err = pairs(fsys, &o.set, o.id, o.clients.signers); err != nil {
		return err
	}
	if o.resumer, err = newResumer(fsys, &o.set, o.ticketScope()); err != nil {
		return err
	}
	oldest, newest := o.versions.bounds()
	o.config = &tls.Config{Certificates: o.certs, MinVersion: oldest, MaxVersion: newest, CipherSuites: list.ids,
		NextProtos: o.protocols(), SessionTicketsDisabled: o.resumer == nil,
		DynamicRecordSizingDisabled: true} // full records from the first on, as OpenSSL's
	if o.resumer != nil {
		o.config.WrapSession, o.config.UnwrapSession = o.resumer.wrap, o.resumer.unwrap
	}
	if err := o.addStaples(); err != nil {
		return err
	}
	if len(o.certs) > 1 || o.staples != nil {
		o.config.Certificates, o.config.GetCertificate = nil, o.pick // else only clients that name a server would be asked
	}
	o.requestCertificates(scope)
	o.warn()
	return o.sendAuthorities(fsys)
}

// warn notes what is to be told of certificates that clients will not like (httpd: ssl_engine_init.c ssl_check_public_cert).
func (o *host) warn() {
	for i := range o.certs {
		c, key := o.certs[i].Leaf, fmt.Sprintf("%s:%d", o.id, i)
		if c.BasicConstraintsValid && c.IsCA {
			o.warnings = append(o.warnings, "AH01906: "+key+" server certificate is a CA certificate (BasicConstraints: CA == TRUE !?)")
		}
		if c.BasicConstraintsValid && c.MaxPathLen > 0 {
			o.warnings = append(o.warnings, fmt.Sprintf("AH01907: %s server certificate is not a leaf certificate (BasicConstraints: pathlen == %d > 0 !?)", key, c.MaxPathLen))
		}
		if !named(c, o.server.Name, true) {
			o.warnings = append(o.warnings, "AH01909: "+key+" server certificate does NOT include an ID which matches the server name")
		}
	}
}

// addStaples finds out who can be asked about the certificates. Those that nobody can be asked about are
// shown alone.
func (o *host) addStaples() error {
	if !o.set.staple.use.Or(false) {
		return nil
	}
	if !o.set.staples {
		return errors.New("AH01958: SSLStapling: no stapling cache available")
	}
	o.staples = make([]*staple, len(o.certs))
	for i := range o.certs {
		var err error
		if o.staples[i], err = newStaple(&o.set.staple, o.set.ocsp.proxy.Or(""), o.certs[i], o.clients.signers, o.log); err != nil {
			o.log(exchange.Error, err.Error())
			o.log(exchange.Error, fmt.Sprintf("AH02604: Unable to configure certificate %s:%d for stapling", o.id, i))
		}
	}
	return nil
}

// requestCertificates says whether clients are asked for certificates. TLS 1.3 in Go knows no asking later, so they
// are asked at the handshake for what sections want; who has none still gets in where none is needed.
func (o *host) requestCertificates(scope *directive.Scope) {
	o.asks = o.clients.mode != verifyNone || sectionsAsk(scope)
	if scope.Kind == directive.VHost && !o.asks {
		o.asks = sectionsAsk(scope.Config.Main)
	}
	if !o.asks {
		return
	}
	o.config.ClientAuth = tls.RequestClientCert
	if o.clients.mode == verifyRequire {
		o.config.ClientAuth = tls.RequireAnyClientCert
	}
	o.config.VerifyConnection = func(s tls.ConnectionState) error { // of resumed sessions too
		_, err := o.clients.check(s.PeerCertificates)
		return err
	}
	if len(o.clients.signers) == 0 {
		o.warnings = append(o.warnings, noAuthorities)
	}
}

func sectionsAsk(s *directive.Scope) bool {
	for _, c := range s.Children {
		if c.Kind&directive.Server != 0 {
			continue
		}
		if dirs.Has(c) && dirs.Merged(c).verify.Or(verifyNone) != verifyNone || sectionsAsk(c) {
			return true
		}
	}
	return false
}

// sendAuthorities tells clients whose signatures are taken.
func (o *host) sendAuthorities(fsys directive.FileSystem) error {
	file, folder := o.set.dnFile.Or(""), o.set.dnPath.Or("")
	if file+folder == "" {
		file, folder = o.set.auth.caFile.Or(""), o.set.auth.caPath.Or("")
	}
	if !o.asks || file+folder == "" {
		return nil
	}
	certs, err := signers(fsys, file, "", "SSLCADNRequest")
	if err != nil {
		return errors.New("AH01896: Unable to determine list of acceptable CA certificates for client authentication")
	}
	files, _ := hashedFiles(fsys, folder, shown)
	for _, f := range files {
		if list, err := readCertificates(fsys, f); err == nil {
			certs = append(certs, list...)
		}
	}
	o.config.ClientCAs = x509.NewCertPool()
	for _, c := range certs {
		o.config.ClientCAs.AddCert(c)
	}
	return nil
}

// ticketScope tells this host's tickets from those of all others: by its name and by whom it lets in.
func (o *host) ticketScope() [sha256.Size]byte {
	return sha256.Sum256(fmt.Append(nil, o.id, "\x00", o.set.auth, "\x00", o.set.certs))
}

// wants is the strictest of the host's and a section's mode.
func (o *host) wants(section verifyMode) verifyMode { return max(o.clients.mode, section) }
