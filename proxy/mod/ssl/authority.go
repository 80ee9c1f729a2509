package ssl

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// verifier judges certificates of the other side (httpd: ssl_engine_kernel.c ssl_callback_SSLVerify).
// Immutable.
type verifier struct {
	mode    verifyMode
	depth   int
	usage   x509.ExtKeyUsage
	roots   *x509.CertPool // never nil: the system's are nobody's choice here
	inter   *x509.CertPool
	crls    *revocations        // nil: no certificate is looked up
	ocsp    *validator          // nil: nobody is asked
	signers []*x509.Certificate // roots and inter

	warnings []string // for the start's log
}

const defaultDepth = 1

// noAuthorities is a warning about certificates that are to be verified by nobody (httpd: ssl_engine_init.c ssl_init_ctx_verify).
const noAuthorities = "AH01897: Init: Oops, you want to request client authentication, but no CAs are known for verification!?  [Hint: SSLCACertificate*]"

// newVerifier reads the signers and their lists. prefix is "SSL" or "SSLProxy", for messages.
func newVerifier(fsys directive.FileSystem, a *authSettings, usage x509.ExtKeyUsage, prefix, server string) (*verifier, error) {
	v := &verifier{mode: a.verify.Or(verifyNone), depth: a.depth.Or(defaultDepth), usage: usage, roots: x509.NewCertPool(), inter: x509.NewCertPool()}
	certs, err := signers(fsys, a.caFile.Or(""), a.caPath.Or(""), prefix+"CACertificate")
	if err != nil {
		return nil, err
	}
	v.signers = certs
	for _, c := range certs {
		// OpenSSL wants a chain to end in a certificate that signs itself; crypto/x509 would stop at any
		// that it trusts.
		if selfSigned(c) {
			v.roots.AddCert(c)
		} else {
			v.inter.AddCert(c)
		}
	}
	if v.crls, err = newRevocations(fsys, a, prefix, server); err != nil {
		return nil, err
	}
	v.warnings = v.crls.outdated(prefix)
	if v.crls == nil && (a.crlFile.Or("") != "" || a.crlPath.Or("") != "") {
		v.warnings = append(v.warnings, fmt.Sprintf("AH01902: Host %s: X.509 CRL storage locations configured, but CRL checking (%sCARevocationCheck) is not enabled", server, prefix))
	}
	return v, nil
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// shown is a name that no listing leaves out.
var shown = regexp.MustCompile(`^[^.]`)

// hashed is a name that OpenSSL would look for in a folder of certificates.
var hashed = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9]+$`)

func signers(fsys directive.FileSystem, file, folder, what string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	if file != "" {
		list, err := readCertificates(fsys, file)
		if err != nil || len(list) == 0 {
			return nil, errors.New("AH02210: Failed to load " + what + "File: " + file)
		}
		out = append(out, list...)
	}
	files, err := hashedFiles(fsys, folder, hashed)
	if err != nil {
		return nil, fmt.Errorf("AH02211: Failed to open Certificate Path `%s'", folder)
	}
	for _, f := range files {
		list, err := readCertificates(fsys, f)
		if err == nil { // OpenSSL does not look at what it can't read either
			out = append(out, list...)
		}
	}
	return out, nil
}

func hashedFiles(fsys directive.FileSystem, folder string, names *regexp.Regexp) ([]string, error) {
	if folder == "" {
		return nil, nil
	}
	list, err := fsys.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range list {
		if names.MatchString(e.Name()) {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	return out, nil
}

// verifyError is what is wrong with a certificate, by OpenSSL's number and text (openssl: x509_vfy.h
// X509_V_ERR_…, x509_txt.c).
type verifyError struct {
	number int
	text   string
}

func (e *verifyError) Error() string { return e.text }

// What is found wrong here.
var (
	errNoList    = &verifyError{3, "unable to get certificate CRL"}
	errEarlyList = &verifyError{11, "CRL is not yet valid"}
	errOldList   = &verifyError{12, "CRL has expired"}
	errRevoked   = &verifyError{23, "certificate revoked"}
)

// unspecified is OpenSSL's number for what has none.
const unspecified = 1

// found is what is wrong with one certificate of a chain.
type found struct {
	with *x509.Certificate
	error
}

func (f *found) Unwrap() error { return f.error }

// tooLong is a chain in which more stand above the certificate than may.
type tooLong struct{ has, most int }

func (*tooLong) Error() string { return "certificate chain too long" }

// refusal is the log's line for certificates that were not accepted.
type refusal struct {
	level exchange.Level
	text  string
}

func (r *refusal) Error() string { return r.text }

// refused says why certificates were not accepted (httpd: ssl_engine_kernel.c ssl_callback_SSLVerify).
func refused(err error, certs []*x509.Certificate) *refusal {
	var long *tooLong
	if errors.As(err, &long) {
		return &refusal{exchange.Error, fmt.Sprintf("AH02040: Certificate Verification: Certificate Chain too long (chain has %d certificates, but maximum allowed are only %d)", long.has, long.most)}
	}
	number, c := unspecified, certs[0]
	var at *found
	if errors.As(err, &at) {
		c, err = at.with, at.error
	}
	var known *verifyError
	if !errors.As(err, &known) {
		known = foundByGo(err, certs)
	}
	if known != nil {
		number, err = known.number, known
	}
	return &refusal{exchange.Info, fmt.Sprintf("AH02276: Certificate Verification: Error (%d): %v %s", number, err, described(c))}
}

// described is a certificate as the log has it (httpd: ssl_engine_log.c ssl_log_cert_error).
func described(c *x509.Certificate) string {
	const date = "Jan _2 15:04:05 2006 GMT"
	return fmt.Sprintf("[subject: %v / issuer: %v / serial: %X / notbefore: %s / notafter: %s]", c.Subject, c.Issuer, c.SerialNumber,
		c.NotBefore.UTC().Format(date), c.NotAfter.UTC().Format(date))
}

// foundByGo is OpenSSL's name for an error of crypto/x509, nil for none.
func foundByGo(err error, certs []*x509.Certificate) *verifyError {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		if time.Now().Before(invalid.Cert.NotBefore) {
			return &verifyError{9, "certificate is not yet valid"}
		}
		return &verifyError{10, "certificate has expired"}
	}
	if text := unknownSigner(err, certs); text != "" {
		return &verifyError{unsignedNumbers[text], text}
	}
	return nil
}

// unsignedNumbers are those of tolerable's texts.
var unsignedNumbers = map[string]int{
	"self-signed certificate": 18, "self-signed certificate in certificate chain": 19,
	"unable to get local issuer certificate": 20, "unable to verify the first certificate": 21,
}

// chains are the ways from a certificate to a root; an error says why there is none. certs[0] is the
// certificate, the others may help; depth is how many may stand above it.
func (v *verifier) chains(certs []*x509.Certificate, depth int) ([][]*x509.Certificate, error) {
	inter := v.inter.Clone()
	for _, c := range certs[1:] {
		inter.AddCert(c)
	}
	all, err := certs[0].Verify(x509.VerifyOptions{Roots: v.roots, Intermediates: inter, CurrentTime: time.Now(), KeyUsages: []x509.ExtKeyUsage{v.usage}})
	if err != nil {
		return nil, err
	}
	var good [][]*x509.Certificate
	long := &tooLong{most: depth}
	for _, chain := range all {
		if above := len(chain) - 1; above > depth {
			long.has = above
			continue
		}
		if revoked := v.crls.check(chain); revoked != nil {
			err = revoked
			continue
		}
		good = append(good, chain)
	}
	switch {
	case len(good) > 0:
		return good, nil
	case err == nil:
		return nil, long
	}
	return nil, err
}

// check is chains, and whether the mode lets the other side pass.
func (v *verifier) check(certs []*x509.Certificate) (chains [][]*x509.Certificate, err error) {
	switch {
	case v.mode == verifyNone:
		return nil, nil
	case len(certs) == 0 && v.mode == verifyRequire:
		return nil, errors.New("AH02011: No acceptable peer certificate available")
	case len(certs) == 0:
		return nil, nil
	}
	chains, err = v.chains(certs, v.depth)
	if v.mode == verifyNoCA && v.ocsp == nil && v.tolerable(err, certs) != "" {
		return nil, nil // with responders there is nobody to say who they are
	}
	if err == nil {
		err = v.ocsp.validate(chains[0])
	}
	if err != nil {
		return nil, refused(err, certs)
	}
	return chains, nil
}

// tolerable says what optional_no_ca passes over: that nobody known has signed (httpd: ssl_private.h
// ssl_verify_error_is_optional). "" for what is wrong besides: where lists of revoked certificates are looked at, there
// is none of an unknown signer.
func (v *verifier) tolerable(err error, certs []*x509.Certificate) string {
	if v.crls.demanding() {
		return ""
	}
	return unknownSigner(err, certs)
}

// unknownSigner says in OpenSSL's words that nobody known has signed, "" for what is wrong besides.
func unknownSigner(err error, certs []*x509.Certificate) string {
	var unknown x509.UnknownAuthorityError
	switch {
	case !errors.As(err, &unknown) || expired(certs[0]):
		return ""
	case selfSigned(certs[0]):
		return "self-signed certificate"
	case len(certs) == 1:
		return "unable to verify the first certificate"
	case selfSigned(certs[len(certs)-1]):
		return "self-signed certificate in certificate chain"
	}
	return "unable to get local issuer certificate"
}

// record puts into s what a mode makes of the certificates that the client has shown.
func (v *verifier) record(s *exchange.TLS, mode verifyMode, depth int) error {
	if len(s.Offered) == 0 {
		return nil
	}
	chains, err := v.chains(s.Offered, depth)
	switch {
	case err == nil:
		s.PeerCertificates, s.VerifiedChains = s.Offered, chains
		return nil
	case mode == verifyNoCA:
		if s.Failed = v.tolerable(err, s.Offered); s.Failed != "" {
			s.PeerCertificates = s.Offered
			return nil
		}
	}
	return err
}

func expired(c *x509.Certificate) bool {
	now := time.Now()
	return now.Before(c.NotBefore) || now.After(c.NotAfter)
}
