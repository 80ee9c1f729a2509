package ssl

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"balancerd/proxy/site"
)

// front is TLS in front of a site. Immutable once opened.
type front struct {
	site   *site.Site
	hosts  map[*site.Host]*host // those with TLS
	policy sniPolicy
}

func frontOf(s *site.Site) *front {
	if s == nil || s.Config == nil {
		return nil
	}
	return loadOf(s.Config).front
}

// Secured tells whether any virtual host of the site has TLS: when none has, no connection need be asked
// for Config.
func Secured(s *site.Site) bool {
	f := frontOf(s)
	return f != nil && len(f.hosts) > 0
}

// Config is the TLS of connections to a local address, nil when the address is plain: its first
// virtual host decides (httpd: mod_ssl.c ssl_hook_pre_connection). It chooses the virtual host by the
// client's server name.
func Config(s *site.Site, local netip.AddrPort) *tls.Config {
	f := frontOf(s)
	if f == nil || len(f.hosts) == 0 {
		return nil
	}
	first, _ := f.site.Find(local, "")
	base := f.hosts[first]
	if base == nil {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS10, Certificates: base.config.Certificates}
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return f.choose(local, hello.ServerName, base).configFor(hello)
	}
	return c
}

// choose is whose settings a server name gets: those of the host that has it, else of the address's
// first (httpd: ssl_engine_kernel.c init_vhost).
func (f *front) choose(local netip.AddrPort, name string, base *host) *host {
	if h, known := f.site.Find(local, serverName(name)); known {
		if own := f.hosts[h]; own != nil {
			return own
		}
	}
	return base
}

// serverName is a client's server name as the virtual hosts' names are kept.
func serverName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// shaken is the virtual host whose name the handshake bore, else the address's first.
func (f *front) shaken(local netip.AddrPort, name string) *site.Host {
	h, known := f.site.Find(local, serverName(name))
	if !known {
		h, _ = f.site.Find(local, "")
	}
	return h
}

// configFor fits the host's configuration to a client: versions with gaps between them, and clients
// whose protocols are none of ours, who get HTTP/1.1 all the same.
func (o *host) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	strange := len(hello.SupportedProtos) > 0 && !slices.Contains(hello.SupportedProtos, "http/1.1")
	if !strange && !o.versions.holes() {
		return o.config, nil
	}
	c := o.config.Clone()
	if strange {
		c.NextProtos = nil
	}
	if o.versions.holes() {
		v := o.versions.best(hello.SupportedVersions)
		if v == 0 {
			return nil, errors.New("no version of TLS in common")
		}
		c.MinVersion, c.MaxVersion = v, v
	}
	return c, nil
}

// Accept makes a fresh connection ready to be served: nc itself when its address is plain, else TLS
// after its handshake, which may take as long as limit (0: for ever). state is nil for plain ones. Who
// speaks plain HTTP on a TLS port gets a connection that asks for "GET / HTTP/1.0": the virtual host's
// Early step answers it with httpd's 400 (httpd: ssl_engine_io.c HTTP_ON_HTTPS_PORT). After an error nc
// still has to be closed; it is worth a line at LogLevel info.
func Accept(s *site.Site, nc net.Conn, limit time.Duration) (net.Conn, *tls.ConnectionState, error) {
	local := addrOf(nc.LocalAddr())
	cfg := Config(s, local)
	if cfg == nil {
		return nc, nil, nil
	}
	if limit > 0 {
		nc.SetDeadline(time.Now().Add(limit))
	}
	first := make([]byte, 5)
	n, err := io.ReadFull(nc, first)
	if err != nil {
		return nil, nil, err
	}
	if spokenPlain(first) {
		nc.SetDeadline(time.Time{})
		return &replay{Conn: nc, first: []byte(plainRequest)}, nil, nil
	}
	t := tls.Server(&replay{Conn: nc, first: first[:n]}, cfg)
	if err := t.HandshakeContext(context.Background()); err != nil {
		return nil, nil, err
	}
	nc.SetDeadline(time.Time{})
	return t, State(s, local, t.ConnectionState()), nil
}

const plainRequest = "GET / HTTP/1.0\r\n\r\n"

// spokenPlain tells whether a record's head is a request's (OpenSSL: SSL_R_HTTP_REQUEST).
func spokenPlain(first []byte) bool {
	for _, m := range [...]string{"GET ", "POST ", "HEAD ", "PUT "} {
		if bytes.HasPrefix(first, []byte(m)) {
			return true
		}
	}
	return false
}

// State is what is told of a connection after its handshake: with the chains of a client's certificate
// that was verified, and without a certificate that nobody vouches for unless the host takes such.
func State(s *site.Site, local netip.AddrPort, cs tls.ConnectionState) *tls.ConnectionState {
	f := frontOf(s)
	if f == nil || len(cs.PeerCertificates) == 0 {
		return &cs
	}
	first, _ := f.site.Find(local, "")
	o := f.hosts[first]
	if o != nil {
		o = f.choose(local, cs.ServerName, o)
	}
	if o == nil {
		cs.PeerCertificates = nil
		return &cs
	}
	chains, err := o.clients.chains(cs.PeerCertificates)
	switch {
	case err == nil:
		cs.VerifiedChains = chains
	case o.clients.mode != verifyNoCA:
		cs.PeerCertificates = nil
	}
	return &cs
}

func addrOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// replay is a connection with bytes in front of what it reads. Owned by its reader.
type replay struct {
	net.Conn
	first []byte
}

// Read gives the bytes in front first.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.first) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.first)
	r.first = r.first[n:]
	return n, nil
}

// CloseWrite ends our direction.
func (r *replay) CloseWrite() error {
	if c, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
