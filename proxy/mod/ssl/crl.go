package ssl

import (
	"balancerd/apacheconf/directive"
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// crlCheck is SSLCARevocationCheck.
type crlCheck uint8

const (
	crlNone  crlCheck = 0
	crlLeaf  crlCheck = 1
	crlChain crlCheck = 2
	// crlMissing: a certificate whose signer has no list is good.
	crlMissing crlCheck = 4
)

var crlWords = map[string]crlCheck{"none": crlNone, "leaf": crlLeaf, "chain": crlChain}

func parseCRLCheck(name string, words []string) (crlCheck, error) {
	return parseCheck(name, words, crlWords, "no_crl_for_cert_ok", crlMissing)
}

// parseCheck reads a word of a table, then perhaps flag, which adds a bit.
func parseCheck[C crlCheck | ocspCheck](name string, words []string, table map[string]C, flag string, bit C) (C, error) {
	word := ""
	if len(words) > 0 {
		word = words[0]
	}
	c, ok := table[strings.ToLower(word)]
	if !ok {
		return 0, errors.New(name + ": Invalid argument '" + word + "'")
	}
	for _, w := range words[1:] {
		if !strings.EqualFold(w, flag) {
			return 0, errors.New(name + ": Invalid argument '" + w + "'")
		}
		c |= bit
	}
	return c, nil
}

// revocations are lists of revoked certificates by their signer's name. Immutable.
type revocations struct {
	checks crlCheck
	by     map[string][]*x509.RevocationList
}

var hashedList = regexp.MustCompile(`^[0-9a-f]{8}\.r[0-9]+$`)

// newRevocations is nil when nothing shall be looked up.
func newRevocations(fsys directive.FileSystem, a *authSettings, prefix, server string) (*revocations, error) {
	check := a.crlCheck.Or(crlNone)
	if check&(crlLeaf|crlChain) == 0 {
		return nil, nil
	}
	file, folder := a.crlFile.Or(""), a.crlPath.Or("")
	if file == "" && folder == "" {
		return nil, fmt.Errorf("AH01899: Host %s: CRL checking has been enabled, but neither %sCARevocationFile nor %sCARevocationPath is configured", server, prefix, prefix)
	}
	r := &revocations{checks: check, by: map[string][]*x509.RevocationList{}}
	files, err := hashedFiles(fsys, folder, hashedList)
	if err == nil && file != "" {
		err = r.read(fsys, file)
	}
	for _, f := range files {
		if err == nil {
			err = r.read(fsys, f)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("AH01901: Host %s: unable to configure X.509 CRL storage for certificate revocation (%w)", server, err)
	}
	return r, nil
}

// read takes the lists of a file, PEM or DER.
func (r *revocations) read(fsys directive.FileSystem, path string) error {
	b, err := fsys.ReadFile(path)
	if err != nil {
		return err
	}
	ders := [][]byte{}
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "X509 CRL" {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		ders = append(ders, b)
	}
	for _, der := range ders {
		l, err := parseList(der)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		r.by[string(l.RawIssuer)] = append(r.by[string(l.RawIssuer)], l)
	}
	return nil
}

// parseList reads a list of version 2 or 1. Version 1 is what "openssl ca -gencrl" writes without
// crl_extensions: it has no version field (RFC 5280 section 5.1.2.1), for want of which crypto/x509 refuses
// it. It is read as one that has the field; its signature is over what was there.
func parseList(der []byte) (*x509.RevocationList, error) {
	l, err := x509.ParseRevocationList(der)
	if err == nil {
		return l, nil
	}
	var outer, signed asn1.RawValue
	if _, e := asn1.Unmarshal(der, &outer); e != nil {
		return nil, err
	}
	rest, e := asn1.Unmarshal(outer.Bytes, &signed)
	if e != nil || len(signed.Bytes) == 0 || signed.Bytes[0] == asn1.TagInteger {
		return nil, err
	}
	second := []byte{asn1.TagInteger, 1, 1} // of version 2
	l, e = x509.ParseRevocationList(sequence(sequence(second, signed.Bytes), rest))
	if e != nil {
		return nil, err
	}
	l.Raw, l.RawTBSRevocationList = outer.FullBytes, signed.FullBytes
	return l, nil
}

// sequence is a SEQUENCE of what was encoded.
func sequence(parts ...[]byte) []byte {
	b, _ := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: slices.Concat(parts...)}) // nothing in it can be wrong
	return b
}

// outdated says of each signer whose lists have all expired that nobody gets in whom it is asked about.
func (r *revocations) outdated(prefix string) (warnings []string) {
	if r == nil {
		return nil
	}
	now := time.Now()
	for _, lists := range r.by {
		newest := slices.MaxFunc(lists, func(a, b *x509.RevocationList) int { return a.ThisUpdate.Compare(b.ThisUpdate) })
		if !newest.NextUpdate.IsZero() && now.After(newest.NextUpdate) {
			warnings = append(warnings, fmt.Sprintf("%sCARevocationCheck: the revocation list of %s has expired on %s: certificates that it has signed are refused",
				prefix, newest.Issuer, newest.NextUpdate.Format(time.RFC3339)))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// check says what is wrong with a chain, a root last.
func (r *revocations) check(chain []*x509.Certificate) error {
	if r == nil {
		return nil
	}
	n := 1
	if r.checks&crlChain != 0 {
		n = len(chain)
	}
	for i, c := range chain[:n] {
		if err := r.one(c, chain[min(i+1, len(chain)-1)]); err != nil {
			return &found{c, err}
		}
	}
	return nil
}

// demanding reports whether a certificate is refused of whose signer there is no list.
func (r *revocations) demanding() bool { return r != nil && r.checks&crlMissing == 0 }

// one looks a certificate up in the lists of its issuer: the newest that is in force counts.
func (r *revocations) one(c, issuer *x509.Certificate) error {
	var best *x509.RevocationList
	for _, l := range r.by[string(c.RawIssuer)] {
		if bytes.Equal(issuer.RawSubject, l.RawIssuer) && signedList(l, issuer) && (best == nil || l.ThisUpdate.After(best.ThisUpdate)) {
			best = l
		}
	}
	now := time.Now()
	switch {
	case best == nil && r.checks&crlMissing != 0:
		return nil
	case best == nil:
		return errNoList
	case now.Before(best.ThisUpdate):
		return errEarlyList
	case !best.NextUpdate.IsZero() && now.After(best.NextUpdate):
		return errOldList
	}
	for i := range best.RevokedCertificateEntries {
		if best.RevokedCertificateEntries[i].SerialNumber.Cmp(c.SerialNumber) == 0 {
			return errRevoked
		}
	}
	return nil
}

// signedList checks a list's signature. A certificate without the extensions of a signer may sign
// here, as with OpenSSL.
func signedList(l *x509.RevocationList, issuer *x509.Certificate) bool {
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return false
	}
	return issuer.CheckSignature(l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature) == nil
}
