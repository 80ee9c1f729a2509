package ssl

import (
	"balancerd/apacheconf/directive"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
)

// readCertificates are a file's certificates, PEM or DER.
func readCertificates(fsys directive.FileSystem, path string) ([]*x509.Certificate, error) {
	b, err := fsys.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			out = append(out, c)
		}
	}
	if out == nil {
		if c, err := x509.ParseCertificate(b); err == nil {
			out = append(out, c)
		}
	}
	return out, nil
}

// pairs are a virtual host's certificates with their keys. Of two with the same kind of key the later
// counts, as with OpenSSL. Above a certificate stand those of SSLCertificateChainFile, else those of its
// own file, else whatever known signers lead up to a root (OpenSSL builds such chains by itself).
func pairs(fsys directive.FileSystem, set *serverSettings, id string, known []*x509.Certificate) ([]tls.Certificate, error) {
	extra, chained, err := chainOf(fsys, set)
	if err != nil {
		return nil, err
	}
	var out []tls.Certificate
	for i, file := range set.certs {
		keyFile := file
		if i < len(set.keys) {
			keyFile = set.keys[i]
		}
		p, err := pair(fsys, file, keyFile, fmt.Sprintf("%s:%d", id, i), set.dialog, chained)
		if err != nil {
			return nil, err
		}
		switch {
		case chained:
			p.Certificate = append(p.Certificate[:1], extra...)
		case len(p.Certificate) == 1:
			p.Certificate = chainAbove(p.Leaf, known)
		}
		out = replace(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("AH02572: Failed to configure at least one certificate and key for %s", id)
	}
	return out, nil
}

func replace(list []tls.Certificate, p tls.Certificate) []tls.Certificate {
	for i := range list {
		if list[i].Leaf.PublicKeyAlgorithm == p.Leaf.PublicKeyAlgorithm {
			list[i] = p
			return list
		}
	}
	return append(list, p)
}

// chainOf is SSLCertificateChainFile, without the certificate itself when it stands in the same file.
func chainOf(fsys directive.FileSystem, set *serverSettings) (extra [][]byte, chained bool, err error) {
	file, ok := set.chain.Get()
	if !ok {
		return nil, false, nil
	}
	certs, err := readCertificates(fsys, file)
	if err != nil || len(certs) == 0 {
		return nil, false, fmt.Errorf("AH01903: Failed to configure CA certificate chain!")
	}
	if len(set.certs) > 0 && set.certs[0] == file {
		certs = certs[1:]
	}
	for _, c := range certs {
		extra = append(extra, c.Raw)
	}
	return extra, true, nil
}

func pair(fsys directive.FileSystem, file, keyFile, id, dialog string, chained bool) (tls.Certificate, error) {
	certs, err := readCertificates(fsys, file)
	switch {
	case err == nil && len(certs) > 0:
	case !chained:
		return tls.Certificate{}, fmt.Errorf("AH02562: Failed to configure certificate %s (with chain), check %s", id, file)
	default:
		return tls.Certificate{}, fmt.Errorf("AH02561: Failed to configure certificate %s, check %s", id, file)
	}
	key, err := readKey(fsys, keyFile, id, dialog)
	if err != nil {
		return tls.Certificate{}, err
	}
	p := tls.Certificate{Leaf: certs[0], PrivateKey: key}
	for _, c := range certs {
		p.Certificate = append(p.Certificate, c.Raw)
	}
	if !belong(certs[0], key) {
		return tls.Certificate{}, fmt.Errorf("AH02565: Certificate and private key %s from %s and %s do not match", id, file, keyFile)
	}
	return p, nil
}

// belong reports whether a key is a certificate's.
func belong(c *x509.Certificate, key crypto.PrivateKey) bool {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// machinePairs are the certificates to show to members: in the file, and in each file of the folder
// (httpd: ssl_engine_init.c ssl_init_proxy_certs).
func machinePairs(fsys directive.FileSystem, p *proxySettings) ([]tls.Certificate, error) {
	var files []string
	if f, ok := p.machineFile.Get(); ok {
		files = append(files, f)
	}
	if dir, ok := p.machinePath.Get(); ok {
		list, err := fsys.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("AH02208: SSL proxy client cert initialization failed")
		}
		for _, e := range list {
			if !e.IsDir() {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	var chain []*x509.Certificate
	if f, ok := p.machineChain.Get(); ok {
		var err error
		if chain, err = readCertificates(fsys, f); err != nil {
			return nil, fmt.Errorf("AH02208: SSL proxy client cert initialization failed")
		}
	}
	var out []tls.Certificate
	for _, f := range files {
		list, err := machinePairsOf(fsys, f, chain)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// machinePairsOf matches the certificates and the keys of a file, in any order.
func machinePairsOf(fsys directive.FileSystem, file string, chain []*x509.Certificate) ([]tls.Certificate, error) {
	certs, err := readCertificates(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("AH02208: SSL proxy client cert initialization failed")
	}
	keys, err := readKeys(fsys, file)
	if err != nil || len(keys) == 0 && len(certs) > 0 {
		return nil, fmt.Errorf("AH02252: incomplete client cert configured for SSL proxy (missing or encrypted private key?)")
	}
	var out []tls.Certificate
	for _, key := range keys {
		found := false
		for _, c := range certs {
			if belong(c, key) {
				out = append(out, tls.Certificate{Leaf: c, PrivateKey: key, Certificate: chainAbove(c, chain)})
				found = true
				break
			}
		}
		if !found {
			return nil, fmt.Errorf("AH02326: proxy client certificate and private key do not match")
		}
	}
	return out, nil
}

// chainAbove is a certificate and those of its signers that there are, the root too.
func chainAbove(c *x509.Certificate, signers []*x509.Certificate) [][]byte {
	out := [][]byte{c.Raw}
	for range signers {
		next := signerOf(c, signers)
		if selfSigned(c) || next == nil {
			break
		}
		out = append(out, next.Raw)
		c = next
	}
	return out
}

func signerOf(c *x509.Certificate, chain []*x509.Certificate) *x509.Certificate {
	for _, s := range chain {
		if c.CheckSignatureFrom(s) == nil {
			return s
		}
	}
	return nil
}
