package ssl

import (
	"context"
	"encoding/base64"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// naming is what a section says of clients' certificates as names: other packages find it in the exchange's
// StateTLS. Immutable; a pointer, so that a request pays nothing for it.
type naming struct {
	legacy bool // LegacyDNStringFormat
	fake   bool // FakeBasicAuth
}

func newNaming(o options) *naming {
	return &naming{legacy: o.has(legacyDN), fake: o.has(fakeBasicAuth)}
}

// step leaves the naming where expressions and mod_auth_basic look for it.
func (n *naming) step(_ context.Context, x *exchange.Exchange) error {
	x.State[exchange.StateTLS] = n
	return nil
}

// LegacyNames reports whether names are written in the old way.
func (n *naming) LegacyNames() bool { return n.legacy }

// BeforeLogin makes the name in a client's certificate its user's, with the password "password"; nobody
// may pretend so by hand (httpd: ssl_engine_kernel.c ssl_hook_UserCheck).
func (n *naming) BeforeLogin(x *exchange.Exchange) error {
	if !x.Main() {
		return nil
	}
	if user, ok := spoofed(x.Req.Header.Get("Authorization")); ok {
		x.Log("ssl", exchange.Error, nil, "AH02035: Encountered FakeBasicAuth spoof: "+user)
		return exchange.Status(403)
	}
	s := x.Conn.TLS
	if s == nil || !n.fake || x.User != "" || len(s.PeerCertificates) == 0 {
		return nil
	}
	line := "Basic " + base64.StdEncoding.EncodeToString([]byte(expr.SlashName(s.PeerCertificates[0].RawSubject)+":password"))
	x.Req.Header.Set("Authorization", line)
	x.Log("ssl", exchange.Info, nil, "AH02036: Faking HTTP Basic Auth header: \"Authorization: "+line+"\"")
	return nil
}

// spoofed finds a name and password that only FakeBasicAuth makes.
func spoofed(field string) (user string, ok bool) {
	token, basic := strings.CutPrefix(field, "Basic ")
	if !basic {
		return "", false
	}
	b, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimLeft(token, " \t"), "="))
	user, password, _ := strings.Cut(string(b), ":")
	return user, strings.HasPrefix(user, "/") && password == "password"
}
