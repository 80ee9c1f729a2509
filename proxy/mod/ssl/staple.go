package ssl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// stapleSettings are SSLStapling….
type stapleSettings struct {
	use      directive.Opt[bool]
	skew     directive.Opt[int]
	timeout  directive.Opt[int]
	maxAge   directive.Opt[int]
	life     directive.Opt[int] // SSLStaplingStandardCacheTimeout
	badLife  directive.Opt[int] // SSLStaplingErrorCacheTimeout
	errors   directive.Opt[bool]
	tryLater directive.Opt[bool]
	url      directive.Opt[string]
}

func (i stapleSettings) over(o stapleSettings) stapleSettings {
	return stapleSettings{
		use: i.use.Over(o.use), skew: i.skew.Over(o.skew), timeout: i.timeout.Over(o.timeout), maxAge: i.maxAge.Over(o.maxAge), life: i.life.Over(o.life),
		badLife: i.badLife.Over(o.badLife), errors: i.errors.Over(o.errors), tryLater: i.tryLater.Over(o.tryLater), url: i.url.Over(o.url),
	}
}

// staple is one certificate with what its responder says of it, for clients that want to know (RFC 6066
// section 8; httpd: ssl_util_stapling.c). A new response is fetched in the background, well before the old
// one is void; only a client that finds none waits, for as long as SSLStaplingResponderTimeout.
type staple struct {
	// Immutable.
	cert    tls.Certificate
	issuer  *x509.Certificate
	url     string
	ask     *responder
	life    time.Duration
	badLife time.Duration
	errors  bool // SSLStaplingReturnResponderErrors
	later   bool // SSLStaplingFakeTryLater
	log     func(exchange.Level, string)

	now atomic.Pointer[stapled] // nil: nobody was asked yet

	mu   sync.Mutex
	busy chan struct{} // under mu; closed when the question under way is answered; nil when there is none
}

// stapled is a response, or that there is none. Immutable.
type stapled struct {
	cert  *tls.Certificate // as it is shown
	renew time.Time        // when a new response is wanted
	until time.Time        // when this one is void
	good  bool
}

// tryLater is the response of a responder that has no time (RFC 6960 section 4.2.1).
var tryLater = []byte{0x30, 0x03, 0x0a, 0x01, 0x03}

// newStaple is nil, and says why, for a certificate that nobody can be asked about.
func newStaple(set *stapleSettings, proxy string, cert tls.Certificate, signers []*x509.Certificate, log func(exchange.Level, string)) (*staple, error) {
	ask, err := newResponder(set.timeout.Or(defaultResponderTime), set.skew.Or(defaultSkew), set.maxAge.Or(-1), proxy)
	if err != nil {
		return nil, err
	}
	s := &staple{cert: cert, ask: ask, log: log, life: time.Duration(set.life.Or(3600)) * time.Second, badLife: time.Duration(set.badLife.Or(600)) * time.Second,
		errors: set.errors.Or(true), later: set.tryLater.Or(true), url: set.url.Or("")}
	if s.url == "" && len(cert.Leaf.OCSPServer) > 0 {
		s.url = cert.Leaf.OCSPServer[0]
	}
	for _, der := range cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			signers = append(slices.Clip(signers), c)
		}
	}
	switch s.issuer = signerOf(cert.Leaf, signers); {
	case s.issuer == nil:
		return nil, errors.New("AH02217: ssl_stapling_init_cert: can't retrieve issuer certificate!")
	case s.url == "":
		return nil, errors.New("AH02218: ssl_stapling_init_cert: no OCSP URI in certificate and no SSLStaplingForceURL set")
	}
	return s, nil
}

// certificate is what a handshake shows. wanted: the client asks for the response too.
func (s *staple) certificate(wanted bool) *tls.Certificate {
	n := s.now.Load()
	t := time.Now()
	switch {
	case n == nil && !wanted:
		return &s.cert
	case n == nil, wanted && t.After(n.until):
		<-s.refresh()
		n = s.now.Load()
	case t.After(n.renew):
		s.refresh()
	}
	if time.Now().After(n.until) {
		return &s.cert
	}
	return n.cert
}

// refresh asks the responder unless that is under way; the channel is closed when it is done.
func (s *staple) refresh() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy != nil {
		return s.busy
	}
	done := make(chan struct{})
	s.busy = done
	recovery.Go("refreshing a stapled OCSP answer", func() {
		defer func() {
			s.mu.Lock()
			s.busy = nil
			s.mu.Unlock()
			close(done)
		}()
		s.now.Store(s.guarded())
	})
	return done
}

// guarded is fetch. Who makes it panic by a response is asked no sooner than one that gives none.
func (s *staple) guarded() (n *stapled) {
	defer func() {
		if p := recover(); p != nil {
			s.log(exchange.Crit, recovery.Message(p, " while asking an OCSP responder"))
			now := time.Now()
			n = &stapled{cert: &s.cert, renew: now.Add(s.badLife), until: now.Add(s.badLife)}
		}
	}()
	return s.fetch()
}

// fetch asks the responder. A response that is no good is kept for a while too: the responder is not
// asked by every client. It does not replace a good one that still holds.
func (s *staple) fetch() *stapled {
	der, a, err := s.question()
	now := time.Now()
	n := &stapled{cert: &s.cert, renew: now.Add(s.badLife), until: now.Add(s.badLife)}
	var refused ocsp.ResponseError
	switch {
	case err == nil:
		n.good, n.until = true, now.Add(s.life)
		if !a.NextUpdate.IsZero() {
			n.until = a.NextUpdate.Add(s.ask.skew)
		}
		n.renew = now.Add(min(s.life, n.until.Sub(now)/2))
	case errors.As(err, &refused):
		s.log(exchange.Debug, "AH01944: stapling_renew_response: responder error "+refused.Status.String())
	default:
		s.log(exchange.Error, "AH01941: stapling_renew_response: responder error: "+err.Error())
		der = nil
		if s.later {
			der = tryLater
		}
	}
	if old := s.now.Load(); err != nil && old != nil && old.good && now.Before(old.until) {
		return &stapled{cert: old.cert, renew: n.renew, until: old.until, good: true}
	}
	if der != nil && (err == nil || s.errors) {
		shown := s.cert
		shown.OCSPStaple = der
		n.cert = &shown
	}
	return n
}

// question is one exchange with the responder. der is set whenever it answered.
func (s *staple) question() (der []byte, a *ocsp.Response, err error) {
	req, err := requestFor(s.cert.Leaf, s.issuer, nil)
	if err != nil {
		return nil, nil, err
	}
	if der, err = s.ask.ask(context.Background(), s.url, req); err != nil {
		return nil, nil, err
	}
	if a, err = ocsp.ParseResponseForCert(der, s.cert.Leaf, nil); err != nil {
		return der, nil, err
	}
	if !s.ask.timely(a) {
		return der, nil, errors.New("AH01936: stapling_check_response: response times invalid")
	}
	if a.Status != ocsp.Good {
		s.log(exchange.Error, fmt.Sprintf("AH02969: stapling_check_response: response has certificate status %s (reason: %d) for serial number %X",
			statusWords[a.Status], a.RevocationReason, s.cert.Leaf.SerialNumber))
	}
	return der, a, nil
}

var statusWords = map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}
