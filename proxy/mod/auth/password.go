package auth

import (
	"context"
	"crypto/subtle"
	"runtime"
	"strings"

	"github.com/tg123/go-htpasswd"
	"golang.org/x/crypto/bcrypt"

	"balancerd/proxy/exchange"
)

// passwords checks passwords against hashes (APR: apr_password_validate). Only some are checked at the
// same time: a flood of guesses must not take every processor from those who are served.
type passwords struct {
	turns    chan struct{}
	remember *memory
}

func newPasswords() *passwords {
	return &passwords{turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), remember: newMemory()}
}

// fits tells whether a password is the one of the hash. An error is the exchange's end while it waited.
func (p *passwords) fits(ctx context.Context, x *exchange.Exchange, password, hash string) (bool, error) {
	d := p.remember.digest(hash, password)
	if p.remember.knows(d) {
		return true, nil
	}
	x.Slow() // a good hash takes its time
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if !verify(password, hash) {
		return false, nil
	}
	p.remember.keep(d)
	return true, nil
}

// schemes are the hashes that are known by how they begin; what begins with none of these is DES crypt.
var schemes = []struct {
	prefix string
	check  func(password, hash string) bool
}{
	{"$2", bcryptFits},
	{"$apr1$", through(htpasswd.AcceptMd5)},
	{"$1$", through(htpasswd.AcceptMd5)},
	{"{SHA}", through(htpasswd.AcceptSha)},
	{"$5$", through(htpasswd.AcceptCryptSha)},
	{"$6$", through(htpasswd.AcceptCryptSha)},
	{"$", nil}, // yescrypt and others
}

// supported tells whether the hash is of a kind that can be checked at all.
func supported(hash string) bool {
	for _, s := range schemes {
		if strings.HasPrefix(hash, s.prefix) {
			return s.check != nil
		}
	}
	return true
}

func verify(password, hash string) bool {
	for _, s := range schemes {
		if strings.HasPrefix(hash, s.prefix) {
			return s.check != nil && s.check(password, hash)
		}
	}
	h := desCrypt(password, hash)
	return h != "" && subtle.ConstantTimeCompare([]byte(h), []byte(hash)) == 1
}

// bcryptFits: bcrypt reads 72 bytes of a password; httpd lets longer ones be cut there.
func bcryptFits(password, hash string) bool {
	if len(password) > 72 {
		password = password[:72]
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
}

// through checks by go-htpasswd. It panics on some malformed hashes of SHA-crypt; such a hash fits nothing.
func through(accept htpasswd.PasswdParser) func(password, hash string) bool {
	return func(password, hash string) (ok bool) {
		defer func() {
			if recover() != nil {
				ok = false
			}
		}()
		e, err := accept(hash)
		return err == nil && e != nil && e.MatchesPassword(password)
	}
}
