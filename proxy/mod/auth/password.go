package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"sync"

	"github.com/tg123/go-htpasswd"

	"balancerd/proxy/exchange"
)

// passwords checks passwords against hashes (APR: apr_password_validate). Hashes that take their time are
// computed in turn, see queue, and what fitted is remembered. Both are the process's, so that a reload of
// the configuration has nobody log in anew.
type passwords struct {
	queue    *queue
	remember *memory
}

func newPasswords() *passwords {
	return &passwords{newQueue(runtime.GOMAXPROCS(0)), newMemory()}
}

var sharedPasswords = sync.OnceValue(newPasswords)

// maxPassword is the longest password that may fit a slow hash: SHA-crypt takes time by the square of its
// length. htpasswd takes no more than 255 bytes.
const maxPassword = 1024

// errBusy is for who comes while too many wait.
var errBusy = errors.New("too many passwords wait to be checked")

// fits reports whether a password is the one of the hash. The error is errBusy, or the exchange's end while
// it waited.
func (p *passwords) fits(ctx context.Context, x *exchange.Exchange, user, password, hash string) (bool, error) {
	if strings.HasPrefix(hash, quick) || !supported(hash) {
		return verify(password, hash), nil
	}
	if len(password) > maxPassword {
		return false, nil
	}
	d := p.remember.digest(hash, password)
	if p.remember.knows(d) {
		return true, nil
	}
	x.Block()
	return p.queue.do(ctx, clientNetwork(clientIP(x)), user, d, func() bool {
		ok := verify(password, hash)
		if ok {
			p.remember.keep(d)
		}
		return ok
	})
}

// clientNetwork is what counts as one client: an address, or of IPv6 the network that one is given.
func clientNetwork(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	net, _ := a.WithZone("").Prefix(64)
	return net.Addr()
}

// quick is the scheme that takes no time worth waiting for.
const quick = "{SHA}"

// schemes are the hashes that are known by how they begin; what begins with none of these is DES crypt.
var schemes = []struct {
	prefix string
	check  func(password, hash string) bool
}{
	{"$2", bcryptFits},
	{"$apr1$", through(htpasswd.AcceptMd5)},
	{"$1$", through(htpasswd.AcceptMd5)},
	{quick, through(htpasswd.AcceptSha)},
	{"$5$", through(htpasswd.AcceptCryptSha)},
	{"$6$", through(htpasswd.AcceptCryptSha)},
	{"$", nil}, // yescrypt and others
}

// supported reports whether the hash is of a kind that can be checked at all.
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
