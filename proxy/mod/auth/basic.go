package auth

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// login is how the sections in force find out who asks. Immutable.
type login struct {
	kind          string       // AuthType in lower case when it is always the same; "none" for none
	kindExpr      *expr.String // else
	basic         bool         // mod_auth_basic is loaded
	realm         *expr.String // AuthName; nil for none
	sources       []userSource // in order
	authoritative bool
	digest        bool
	passwords     *passwords
}

// userSource is a provider of passwords: a file, its own or the one that AuthUserFile names.
type userSource struct {
	file  string // "" when nobody named one
	files *files
}

func newLogin(chain []*directive.Scope, p *passwords, f *files) *login {
	m, c := logins.Merged(chain...), chain[0].Config
	l := &login{kind: strings.ToLower(m.kind.Or("none")), kindExpr: m.kindExpr, basic: c.Loaded("mod_auth_basic.c"), realm: m.realm,
		authoritative: m.authoritative.Or(true), digest: m.digest.Or(false), passwords: p}
	users := fileNames.Merged(chain...).users.Or("")
	names := m.sources
	if names == nil && c.Loaded("mod_authn_file.c") {
		names = []string{"file"}
	}
	for _, n := range names {
		own, _ := sourceOf(chain[0], n)
		l.sources = append(l.sources, userSource{own.Or(users), f})
	}
	return l
}

// configured reports whether there may be an AuthType.
func (l *login) configured() bool { return l.kindExpr != nil || l.kind != "none" }

// kindOf is AuthType for an exchange; "" for none (httpd: mod_authn_core.c authn_ap_auth_type).
func (l *login) kindOf(x *exchange.Exchange) string {
	kind := l.kind
	if l.kindExpr != nil {
		text, err := l.kindExpr.Eval(x)
		if err != nil {
			x.Log("authn_core", exchange.Error, nil, "AH02834: AuthType expression could not be evaluated: "+err.Error())
			return ""
		}
		kind = text
	}
	if exchange.EqualFold(kind, "none") {
		return ""
	}
	return kind
}

// certified is what mod_ssl has to say before users say who they are: a certificate may take the place
// of name and password.
type certified interface {
	BeforeLogin(*exchange.Exchange) error
}

// authenticate sets x.User, or says why the client is not let in (httpd: request.c, ap_run_check_user_id).
func (l *login) authenticate(ctx context.Context, x *exchange.Exchange, either bool) error {
	if c, ok := x.State[exchange.StateTLS].(certified); ok {
		if err := c.BeforeLogin(x); err != nil {
			return err
		}
	}
	kind := l.kindOf(x)
	if kind != "" && (!l.basic || !exchange.EqualFold(kind, "basic")) {
		return l.unsupported(x, kind)
	}
	if kind != "" {
		return l.authenticateBasic(ctx, x)
	}
	if x.User != "" {
		return nil
	}
	code := "AH00027"
	if either {
		code = "AH00028"
	}
	x.Log("core", exchange.Error, nil, x.Arena.Join(code, ": No authentication done but request not allowed without authentication for ", x.Req.Path,
		". Authentication not configured?"))
	return exchange.Status(500)
}

func (l *login) unsupported(x *exchange.Exchange, kind string) error {
	x.Log("authn_core", exchange.Error, nil, x.Arena.Join("AH01796: AuthType ", kind, " configured without corresponding module"))
	return exchange.Status(500)
}

// authenticateBasic (httpd: mod_auth_basic.c authenticate_basic_user; RFC 7617).
func (l *login) authenticateBasic(ctx context.Context, x *exchange.Exchange) error {
	if l.realm == nil {
		x.Log("auth_basic", exchange.Error, nil, x.Arena.Join("AH01615: need AuthName: ", x.Req.Path))
		return exchange.Status(500)
	}
	field, ok := x.Req.Header.Lookup(credentialsField(x))
	if !ok {
		return l.challenge(x)
	}
	scheme, token, _ := strings.Cut(field, " ")
	if !exchange.EqualFold(scheme, "Basic") {
		x.Log("auth_basic", exchange.Error, nil, x.Arena.Join("AH01614: client used wrong authentication scheme: ", x.Req.Path))
		return l.challenge(x)
	}
	user, password, _ := strings.Cut(decode(strings.TrimLeft(token, " \t")), ":")
	x.User, x.AuthType = user, "Basic"
	r, err := l.check(ctx, x, user, password)
	if err != nil {
		return err
	}
	return l.conclude(x, r)
}

// decode is base64 as httpd reads it: up to the first character outside of its alphabet, and up to a NUL.
func decode(token string) string {
	end := 0
	for end < len(token) && isBase64(token[end]) {
		end++
	}
	token = token[:end]
	if len(token)%4 == 1 {
		token = token[:len(token)-1]
	}
	b, _ := base64.RawStdEncoding.DecodeString(token)
	text, _, _ := strings.Cut(string(b), "\x00")
	return text
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}

// result of asking the sources for a user.
type result uint8

const (
	accepted result = iota
	mismatch
	notFound
	failed // logged by who failed
)

// check asks the sources until one knows the user.
func (l *login) check(ctx context.Context, x *exchange.Exchange, user, password string) (result, error) {
	if len(l.sources) == 0 {
		x.Log("auth_basic", exchange.Error, nil, "AH01616: No Authn provider configured")
		return failed, nil
	}
	r := notFound
	for i := range l.sources {
		var err error
		if l.digest {
			r = l.checkDigest(x, &l.sources[i], user, password)
		} else if r, err = l.checkPassword(ctx, x, &l.sources[i], user, password); err != nil {
			return failed, unchecked(x, err)
		}
		if r != notFound {
			break
		}
	}
	return r, nil
}

// unchecked is the response to a password that was not checked.
func unchecked(x *exchange.Exchange, err error) error {
	if err != errBusy {
		return exchange.Status(500)
	}
	x.Log("auth_basic", exchange.Error, nil, x.Arena.Join("user ", x.User, " has to come again: ", err.Error()))
	x.Res.Always.Set("Retry-After", "1")
	return exchange.Status(503)
}

func (l *login) checkPassword(ctx context.Context, x *exchange.Exchange, s *userSource, user, password string) (result, error) {
	hash, r := s.password(x, user)
	if r != accepted {
		return r, nil
	}
	if !supported(hash) {
		x.Log("authn_file", exchange.Error, nil, x.Arena.Join("the password of user ", user, " is hashed in a way that this server does not know"))
	}
	ok, err := l.passwords.fits(ctx, x, user, password, hash)
	if err != nil || !ok {
		return mismatch, err
	}
	return accepted, nil
}

// checkDigest is AuthBasicUseDigestAlgorithm MD5: the file holds digests of user:realm:password.
func (l *login) checkDigest(x *exchange.Exchange, s *userSource, user, password string) result {
	realm := l.realmOf(x)
	want, r := s.digest(x, user, realm)
	if r != accepted {
		return r
	}
	sum := md5.Sum([]byte(user + ":" + realm + ":" + password))
	if hex.EncodeToString(sum[:]) != want {
		return mismatch
	}
	return accepted
}

// conclude is the response to what the sources said.
func (l *login) conclude(x *exchange.Exchange, r result) error {
	switch {
	case r == accepted:
		return nil
	case !l.authoritative && r != mismatch: // leave it to other modules, of which there are none
		return l.unsupported(x, x.AuthType)
	case r == mismatch:
		x.Log("auth_basic", exchange.Error, nil, x.Arena.Join("AH01617: user ", x.User, `: authentication failure for "`, x.Req.Path, `": Password Mismatch`))
	case r == notFound:
		x.Log("auth_basic", exchange.Error, nil, x.Arena.Join("AH01618: user ", x.User, " not found: ", x.Req.Path))
	default:
		return exchange.Status(500)
	}
	return l.challenge(x)
}

// challenge asks the client for a name and password.
func (l *login) challenge(x *exchange.Exchange) error {
	name, status := "WWW-Authenticate", exchange.Status(401)
	if x.Req.Proxy {
		name, status = "Proxy-Authenticate", 407
	}
	x.Res.Always.Set(name, x.Arena.Join(`Basic realm="`, l.realmOf(x), `"`))
	return status
}

// realmOf is AuthName with its quotes escaped (httpd: mod_authn_core.c authn_ap_auth_name).
func (l *login) realmOf(x *exchange.Exchange) string {
	if l.realm == nil {
		return ""
	}
	name, err := l.realm.Eval(x)
	if err != nil {
		x.Log("authn_core", exchange.Error, nil, "AH02835: AuthName expression could not be evaluated: "+err.Error())
		return ""
	}
	return escapeQuotes(name)
}

// escapeQuotes puts a backslash before each quote that has none (httpd: util.c ap_escape_quotes).
func escapeQuotes(s string) string {
	if strings.IndexByte(s, '"') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteByte(s[i])
			i++
		case s[i] == '"':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// step of AuthBasicFake: the member gets a name and password of our making
// (httpd: mod_auth_basic.c authenticate_basic_fake).
func (f *fake) step(_ context.Context, x *exchange.Exchange) error {
	user, err := f.text(x, f.user, "AH02455: AuthBasicFake: could not evaluate user expression for URI '")
	if err != nil {
		return err
	}
	password := ""
	if user != "" {
		if password, err = f.text(x, f.password, "AH02456: AuthBasicFake: could not evaluate password expression for URI '"); err != nil {
			return err
		}
	}
	if user == "" || password == "" {
		code, what := "AH02458", "username"
		if user != "" {
			code, what = "AH02459", "password"
		}
		x.Log("auth_basic", exchange.Info, nil, x.Arena.Join(code, ": AuthBasicFake: empty ", what, " expression for URI '", x.Req.Path, "', ignoring"))
		x.Req.Header.Del("Authorization")
		return nil
	}
	x.Req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	return nil
}

func (f *fake) text(x *exchange.Exchange, e *expr.String, fault string) (string, error) {
	s, err := e.Eval(x)
	if err != nil {
		x.Log("auth_basic", exchange.Error, nil, x.Arena.Join(fault, x.Req.Path, "': ", err.Error()))
		return "", exchange.Status(500)
	}
	return s, nil
}

// credentialsField is where a client says who it is: to a forward proxy in a field of its own (RFC 9110 section 11.7).
func credentialsField(x *exchange.Exchange) string {
	if x.Req.Proxy {
		return "Proxy-Authorization"
	}
	return "Authorization"
}
