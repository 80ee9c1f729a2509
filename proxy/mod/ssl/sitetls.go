package ssl

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// siteTLS is TLS in front of a site. Immutable once opened.
type siteTLS struct {
	site   *site.Site
	hosts  map[*site.Host]*host // those with TLS
	policy sniPolicy
}

func siteTLSOf(s *site.Site) *siteTLS {
	if s == nil || s.Config == nil {
		return nil
	}
	return loadOf(s.Config).siteTLS
}

// secure is whose TLS connections to a local address get when they name no server, nil for plain ones:
// the address's first virtual host decides (httpd: mod_ssl.c ssl_hook_pre_connection).
func (f *siteTLS) secure(local netip.AddrPort) *host {
	if f == nil || len(f.hosts) == 0 {
		return nil
	}
	first, _ := f.site.Find(local, "")
	return f.hosts[first]
}

// SecuredAt reports whether connections to a local address have TLS.
func SecuredAt(s *site.Site, local netip.AddrPort) bool { return siteTLSOf(s).secure(local) != nil }

// choose is whose settings a server name gets: those of the host that has it, else of the address's
// first (httpd: ssl_engine_kernel.c init_vhost).
func (f *siteTLS) choose(local netip.AddrPort, name string, base *host) *host {
	if h, known := f.site.Find(local, serverName(name)); known {
		if own := f.hosts[h]; own != nil {
			return own
		}
	}
	return base
}

// serverName is a client's server name as the virtual hosts' names are kept.
func serverName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// handshakeHost is the virtual host whose name the handshake bore, else the address's first.
func (f *siteTLS) handshakeHost(local netip.AddrPort, name string) *site.Host {
	h, known := f.site.Find(local, serverName(name))
	if !known {
		h, _ = f.site.Find(local, "")
	}
	return h
}

// Accept makes a fresh connection ready to be served: nc itself when its address is plain, else TLS
// after its handshake, which may take as long as longest (0: for ever) and RequestReadTimeout's handshake=. state is nil for plain ones. Who
// speaks plain HTTP on a TLS port gets a connection that asks for "GET / HTTP/1.0": the virtual host's
// Early step answers it with httpd's 400 (httpd: ssl_engine_io.c HTTP_ON_HTTPS_PORT). After an error, which the log
// knows, nc still has to be closed.
func Accept(s *site.Site, nc net.Conn, longest time.Duration) (net.Conn, *exchange.TLS, error) {
	f, local := siteTLSOf(s), exchange.AddrPort(nc.LocalAddr())
	base := f.secure(local)
	if base == nil {
		return nc, nil, nil
	}
	nc = limit(nc, longest, base.server.HandshakeRead)
	hs := &handshakeState{Context: context.Background(), siteTLS: f, local: local, base: base}
	t := tls.Server(nc, helloConfig)
	if err := t.HandshakeContext(hs); err != nil {
		if plain := (tls.RecordHeaderError{}); errors.As(err, &plain) && plain.Conn != nil && spokenPlain(plain.RecordHeader[:]) {
			unlimit(nc)
			return &exchange.Replay{Conn: nc, First: []byte(plainRequest)}, nil, nil
		}
		hs.tell(nc, err)
		return nil, nil, err
	}
	unlimit(nc)
	return t, hs.state(t.ConnectionState()), nil
}

const plainRequest = "GET / HTTP/1.0\r\n\r\n"

// spokenPlain reports whether a record's head is a request's (OpenSSL: SSL_R_HTTP_REQUEST).
func spokenPlain(first []byte) bool {
	for _, m := range [...]string{"GET ", "POST ", "HEAD ", "PUT "} {
		if bytes.HasPrefix(first, []byte(m)) {
			return true
		}
	}
	return false
}
