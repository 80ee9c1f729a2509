package ssl

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/ocsp"

	"balancerd/apacheconf/directive"
)

// ocspSettings are SSLOCSP….
type ocspSettings struct {
	check    directive.Opt[ocspCheck]
	fallback directive.Opt[string] // SSLOCSPDefaultResponder
	override directive.Opt[bool]
	skew     directive.Opt[int]
	maxAge   directive.Opt[int]
	timeout  directive.Opt[int]
	nonce    directive.Opt[bool]
	proxy    directive.Opt[string]
	noVerify directive.Opt[bool]
	certs    directive.Opt[string] // SSLOCSPResponderCertificateFile
}

func (i ocspSettings) over(o ocspSettings) ocspSettings {
	return ocspSettings{
		check: i.check.Over(o.check), fallback: i.fallback.Over(o.fallback), override: i.override.Over(o.override), skew: i.skew.Over(o.skew),
		maxAge: i.maxAge.Over(o.maxAge), timeout: i.timeout.Over(o.timeout), nonce: i.nonce.Over(o.nonce), proxy: i.proxy.Over(o.proxy),
		noVerify: i.noVerify.Over(o.noVerify), certs: i.certs.Over(o.certs),
	}
}

// ocspCheck is SSLOCSPEnable.
type ocspCheck uint8

const (
	ocspLeaf ocspCheck = 1 << iota
	ocspChain
	ocspMissing // no_ocsp_for_cert_ok
)

var ocspWords = map[string]ocspCheck{"off": 0, "leaf": ocspLeaf, "on": ocspChain}

func parseOCSPCheck(name string, words []string) (ocspCheck, error) {
	return parseCheck(name, words, ocspWords, "no_ocsp_for_cert_ok", ocspMissing)
}

// validator asks responders whether clients' certificates are still good (httpd: ssl_engine_ocsp.c).
// Immutable.
type validator struct {
	set     ocspSettings
	check   ocspCheck
	ask     *responder
	trusted []*x509.Certificate // whose responses are taken besides the signers'
}

// newValidator is nil when nobody shall be asked.
func newValidator(fsys directive.FileSystem, set *ocspSettings) (*validator, error) {
	v := &validator{set: *set, check: set.check.Or(0)}
	if v.check&(ocspLeaf|ocspChain) == 0 {
		return nil, nil
	}
	var err error
	v.ask, err = newResponder(set.timeout.Or(defaultResponderTime), set.skew.Or(defaultSkew), set.maxAge.Or(-1), set.proxy.Or(""))
	if err != nil {
		return nil, err
	}
	if file, ok := set.certs.Get(); ok {
		if v.trusted, err = readCertificates(fsys, file); err != nil || len(v.trusted) == 0 {
			return nil, fmt.Errorf("AH02210: Failed to load SSLOCSPResponderCertificateFile: %s", file)
		}
	}
	return v, nil
}

var errOCSP = errors.New("application verification failure")

// validate says what is wrong with a chain that is right otherwise, a root last.
func (v *validator) validate(chain []*x509.Certificate) error {
	if v == nil {
		return nil
	}
	n := 1
	if v.check&ocspChain != 0 {
		n = len(chain)
	}
	for i, c := range slices.Backward(chain[:n]) {
		if selfSigned(c) {
			continue
		}
		if err := v.one(c, chain[min(i+1, len(chain)-1)]); err != nil {
			return err
		}
	}
	return nil
}

// one asks about one certificate. Whatever goes wrong keeps it out.
func (v *validator) one(c, issuer *x509.Certificate) error {
	at := v.responderOf(c)
	if at == "" {
		if v.check&ocspMissing != 0 {
			return nil
		}
		return errOCSP
	}
	var nonce []byte
	if v.set.nonce.Or(true) {
		nonce = newNonce()
	}
	req, err := requestFor(c, issuer, nonce)
	if err != nil {
		return fmt.Errorf("%w: AH01921: could not retrieve certificate id", errOCSP)
	}
	b, err := v.ask.ask(context.Background(), at, req)
	if err != nil {
		return fmt.Errorf("%w: %w", errOCSP, err)
	}
	a, err := v.read(b, c, issuer)
	switch {
	case err != nil:
		return fmt.Errorf("%w: AH01925: failed to verify the OCSP response: %w", errOCSP, err)
	case nonce != nil && !bytes.Equal(nonce, nonceOf(a)):
		return fmt.Errorf("%w: AH01924: Bad OCSP responder answer (bad nonce)", errOCSP)
	case !v.ask.timely(a):
		return fmt.Errorf("%w: AH02273: OCSP response outside validity period", errOCSP)
	case a.Status == ocsp.Revoked:
		return errors.New("certificate revoked")
	case a.Status != ocsp.Good:
		return errOCSP
	}
	return nil
}

func (v *validator) responderOf(c *x509.Certificate) string {
	at := v.set.fallback.Or("")
	if !v.set.override.Or(false) && len(c.OCSPServer) > 0 {
		at = c.OCSPServer[0]
	}
	return at
}

// read checks who signed a response: the certificate's own signer, somebody whom that one has named for
// it, or a responder that the configuration trusts.
func (v *validator) read(b []byte, c, issuer *x509.Certificate) (*ocsp.Response, error) {
	a, err := ocsp.ParseResponseForCert(b, c, nil)
	if err != nil || v.set.noVerify.Or(false) {
		return a, err
	}
	for _, t := range v.trusted {
		if a.CheckSignatureFrom(t) == nil {
			return a, nil
		}
	}
	if a, err = ocsp.ParseResponseForCert(b, c, issuer); err != nil {
		return nil, err
	}
	if d := a.Certificate; d != nil && !d.Equal(issuer) && (!slices.Contains(d.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) || expired(d)) {
		return nil, errors.New("its signer may not sign it")
	}
	return a, nil
}
