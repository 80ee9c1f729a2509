package ssl

import (
	"context"
	"crypto/tls"
	"slices"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// gate is what the sections in force ask of a request's connection (httpd: ssl_engine_kernel.c
// ssl_hook_Access). Immutable.
type gate struct {
	siteTLS    *siteTLS
	requireSSL bool
	requires   []requirement
	verify     verifyMode
	depth      directive.Opt[int]
	ciphers    []uint16 // of TLS 1.2 and older; nil: any
	user       func(*exchange.Exchange) string
	userName   string
	hosts      bool // some virtual host has TLS
}

// newGate is nil when nothing is asked.
func (f *siteTLS) newGate(chain []*directive.Scope, d *dirSettings) *gate {
	g := &gate{siteTLS: f, requireSSL: d.requireSSL, requires: d.requires, verify: d.verify.Or(verifyNone), depth: d.depth, hosts: len(f.hosts) > 0}
	if list, ok := d.ciphers.Get(); ok {
		g.ciphers = parseCiphers(list).ids
	}
	if name, ok := d.user.Get(); ok {
		g.userName = name
		g.user = func(x *exchange.Exchange) string { return expr.SSL(x, name) }
	}
	server := servers.Merged(chain[:min(2, len(chain))]...).auth.verify.Or(verifyNone)
	if !g.requireSSL && g.requires == nil && g.ciphers == nil && g.user == nil && g.verify == verifyNone && server == verifyNone {
		return nil
	}
	return g
}

// step lets a request pass or refuses it.
func (g *gate) step(_ context.Context, x *exchange.Exchange) error {
	s := x.Conn.TLS
	if s == nil {
		if !g.requireSSL {
			return nil
		}
		return g.refuse(x, "AH02219: access to ", " failed, reason: SSL connection required")
	}
	if err := g.client(x, s); err != nil {
		return err
	}
	if g.ciphers != nil && s.Version < tls.VersionTLS13 && !slices.Contains(g.ciphers, s.CipherSuite) {
		return g.refuse(x, "AH02264: SSL cipher suite not renegotiated: access to ", " denied using cipher "+expr.SSL(x, "SSL_CIPHER"))
	}
	if g.user != nil {
		g.name(x)
	}
	for i := range g.requires {
		ok, err := g.requires[i].expr.Match(x)
		if err != nil {
			return g.refuse(x, "AH02265: access to ", " failed, reason: Failed to execute SSL requirement expression: "+err.Error())
		}
		if !ok {
			x.Log("ssl", exchange.Info, nil, "AH02228: Failed expression: "+g.requires[i].text)
			return g.refuse(x, "AH02229: access to ", " failed, reason: SSL requirement expression not fulfilled")
		}
	}
	return nil
}

func (g *gate) refuse(x *exchange.Exchange, before, after string) error {
	x.Log("ssl", exchange.Error, nil, before+x.Filename+after)
	return exchange.Status(403)
}

func (g *gate) name(x *exchange.Exchange) {
	if v := g.user(x); v != "" {
		x.User, x.AuthType = x.Arena.Join(v), "ClientCert"
		return
	}
	x.Log("ssl", exchange.Warn, nil, "AH02227: Failed to set r->user to '"+g.userName+"'")
}

// client asks for the certificate that the section or the request's virtual host wants. It can't be
// fetched now: who has not shown one at the handshake stays out, as with httpd's clients that can't
// authenticate later.
func (g *gate) client(x *exchange.Exchange, s *exchange.TLS) error {
	asked := g.siteTLS.hosts[site.HostOf(x)]
	at := g.siteTLS.hosts[g.siteTLS.handshakeHost(x.Conn.Local, s.ServerName)]
	if at == nil { // the address's first host stood in for one without TLS
		first, _ := g.siteTLS.site.Find(x.Conn.Local, "")
		at = g.siteTLS.hosts[first]
	}
	need := g.verify
	if asked != nil {
		need = asked.wants(need)
	}
	if need == verifyNone {
		return nil
	}
	if at == nil || !at.asks || asked != nil && asked != at && !sameSigners(&at.set, &asked.set) {
		return g.later(x)
	}
	if at.clients.mode == verifyNone && len(s.PeerCertificates) == 0 {
		var err error
		if s, err = g.ask(x, at); err != nil {
			r := refused(err, s.Offered)
			x.Log("ssl", r.level, nil, r.text)
			x.Log("ssl", exchange.Error, nil, "AH02261: Re-negotiation handshake failed")
			return g.later(x)
		}
	}
	if need == verifyRequire && len(s.VerifiedChains) == 0 {
		return g.later(x)
	}
	if depth, ok := g.depth.Get(); ok && len(s.VerifiedChains) > 0 && shortest(s) > depth {
		return g.refuse(x, "AH02262: Re-negotiation handshake failed: Client verification failed: ", "")
	}
	return nil
}

// ask looks at the certificate that the client has shown at the handshake, as if it came now for this
// section. From here on the connection has it, as with httpd; HTTP/2's requests have it one by one,
// because they run side by side.
func (g *gate) ask(x *exchange.Exchange, at *host) (*exchange.TLS, error) {
	s := *x.Conn.TLS
	err := at.clients.record(&s, g.verify, g.depth.Or(at.clients.depth))
	if err == nil && s.VerifiedChains != nil {
		err = at.clients.ocsp.validate(s.VerifiedChains[0])
	} else if err == nil && s.PeerCertificates != nil && at.clients.ocsp != nil {
		err = errOCSP
	}
	if err != nil || s.PeerCertificates == nil {
		return &s, err
	}
	if s.NegotiatedProtocol == "h2" {
		x.Conn = x.Conn.Secured(&s)
	} else {
		x.Conn.TLS = &s
	}
	return &s, nil
}

func (g *gate) later(x *exchange.Exchange) error {
	x.Log("ssl", exchange.Error, nil, "AH10158: cannot perform post-handshake authentication")
	x.RawNote = noteLater
	return exchange.Status(403)
}

// shortest is how many certificates stand above the client's, at least.
func shortest(s *exchange.TLS) int {
	n := len(s.VerifiedChains[0])
	for _, c := range s.VerifiedChains {
		n = min(n, len(c))
	}
	return n - 1
}
