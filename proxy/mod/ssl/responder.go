package ssl

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/crypto/ocsp"
)

// responder asks OCSP servers (RFC 6960). Immutable.
type responder struct {
	client *http.Client
	skew   time.Duration // how far clocks may differ
	maxAge time.Duration // how old a response may be; negative: as old as it says
}

const (
	defaultResponderTime = 10 // seconds
	defaultSkew          = 300
	maxAnswer            = 64 << 10
)

// newResponder takes seconds. proxy may be "".
func newResponder(timeout, skew, maxAge int, proxy string) (*responder, error) {
	t := &http.Transport{DisableKeepAlives: true}
	if proxy != "" {
		u, err := url.Parse(proxy)
		if err != nil {
			return nil, fmt.Errorf("SSLOCSPProxyURL: Cannot parse URL %s", proxy)
		}
		t.Proxy = http.ProxyURL(u)
	}
	return &responder{client: &http.Client{Transport: t, Timeout: time.Duration(timeout) * time.Second}, skew: time.Duration(skew) * time.Second,
		maxAge: time.Duration(maxAge) * time.Second}, nil
}

// ask sends a request and reads the response.
func (r *responder) ask(ctx context.Context, at string, request []byte) ([]byte, error) {
	if u, err := url.Parse(at); err != nil || u.Host == "" || u.Scheme != "http" {
		return nil, fmt.Errorf("cannot handle OCSP responder URI '%s'", at)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	res, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("bad response from OCSP server: %s", res.Status)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(b) > maxAnswer {
		err = errors.New("response of OCSP server is too long")
	}
	return b, err
}

// timely reports whether a response is in force (OpenSSL: OCSP_check_validity).
func (r *responder) timely(a *ocsp.Response) bool {
	now := time.Now()
	return !a.ThisUpdate.After(now.Add(r.skew)) && (a.NextUpdate.IsZero() || !a.NextUpdate.Before(now.Add(-r.skew))) &&
		(r.maxAge < 0 || !a.ThisUpdate.Before(now.Add(-r.skew-r.maxAge)))
}

// The request as RFC 6960 section 4.1.1 has it: package ocsp knows no nonces.
type (
	ocspCertID struct {
		Algorithm           pkix.AlgorithmIdentifier
		NameHash, IssuerKey []byte
		Serial              asn1.RawValue
	}
	ocspOne  struct{ ID ocspCertID }
	ocspBody struct {
		List       []ocspOne
		Extensions []pkix.Extension `asn1:"explicit,tag:2,optional,omitempty"`
	}
	ocspRequest struct{ Body ocspBody }
)

var oidNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}

// newNonce is the extension's value.
func newNonce() []byte {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	der, _ := asn1.Marshal(b)
	return der
}

// requestFor asks about one certificate; nonce may be nil.
func requestFor(c, issuer *x509.Certificate, nonce []byte) ([]byte, error) {
	der, err := ocsp.CreateRequest(c, issuer, &ocsp.RequestOptions{Hash: crypto.SHA1})
	if err != nil || nonce == nil {
		return der, err
	}
	var req ocspRequest
	if _, err := asn1.Unmarshal(der, &req); err != nil {
		return nil, err
	}
	req.Body.Extensions = []pkix.Extension{{Id: oidNonce, Value: nonce}}
	return asn1.Marshal(req)
}

// nonceOf is what a response returns; nil for none. The extensions are the last part of the data that is
// signed (RFC 6960 section 4.2.1).
func nonceOf(a *ocsp.Response) []byte {
	var parts []asn1.RawValue
	if _, err := asn1.Unmarshal(a.TBSResponseData, &parts); err != nil || len(parts) < 2 {
		return nil
	}
	last := parts[len(parts)-1]
	if last.Class != asn1.ClassContextSpecific || last.Tag != 1 || parts[len(parts)-2].Tag != asn1.TagSequence {
		return nil
	}
	var list []pkix.Extension
	if _, err := asn1.Unmarshal(last.Bytes, &list); err != nil {
		return nil
	}
	for _, e := range list {
		if e.Id.Equal(oidNonce) {
			return e.Value
		}
	}
	return nil
}
