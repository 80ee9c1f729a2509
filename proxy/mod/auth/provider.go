package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// provider is a word after Require and what it asks for.
type provider struct {
	name   string
	module string // must be loaded
	open   opener
}

// opener reads what follows a provider's name. The verdict beside the check is what it always says.
type opener func(s *directive.Scope, args string) (check, verdict, error)

// providers are the ones that are built in.
var providers = []provider{
	{"all", "mod_authz_core.c", requireAll},
	{"env", "mod_authz_core.c", requireEnv},
	{"method", "mod_authz_core.c", requireMethod},
	{"expr", "mod_authz_core.c", requireExpr},
	{"ip", "mod_authz_host.c", requireIP},
	{"host", "mod_authz_host.c", requireHost},
	{"forward-dns", "mod_authz_host.c", requireForward},
	{"local", "mod_authz_host.c", requireLocal},
	{"user", "mod_authz_user.c", requireUser},
	{"valid-user", "mod_authz_user.c", requireValidUser},
	{"group", "mod_authz_groupfile.c", requireGroup},
	{"ssl", "mod_ssl.c", requireTLS("ssl", func(s *exchange.TLS) bool { return true })},
	{"ssl-verify-client", "mod_ssl.c", requireTLS("ssl-verify-client", func(s *exchange.TLS) bool { return len(s.VerifiedChains) > 0 })},
}

// providerOf finds a provider that is there: built in and loaded, or an alias of one.
func providerOf(s *directive.Scope, name string) (opener, bool) {
	if a, ok := aliases.Merged(s.Config.Main).authz[name]; ok {
		return a, true
	}
	for _, p := range providers {
		if p.name == name && s.Config.Loaded(p.module) {
			return p.open, true
		}
	}
	return nil, false
}

func requireAll(_ *directive.Scope, args string) (check, verdict, error) {
	switch {
	case strings.EqualFold(args, "granted"):
		return always(granted), granted, nil
	case strings.EqualFold(args, "denied"):
		return always(denied), denied, nil
	}
	return nil, 0, errors.New("Argument for 'Require all' must be 'granted' or 'denied'")
}

func always(v verdict) check {
	return func(context.Context, *exchange.Exchange, *gate) verdict { return v }
}

// when is granted or denied.
func when(ok bool) verdict {
	if ok {
		return granted
	}
	return denied
}

func requireEnv(_ *directive.Scope, args string) (check, verdict, error) {
	names := apacheconf.Words(args)
	return func(_ context.Context, x *exchange.Exchange, _ *gate) verdict {
		return when(slices.ContainsFunc(names, x.Env.Has))
	}, neutral, nil
}

func requireMethod(_ *directive.Scope, args string) (check, verdict, error) {
	words := apacheconf.Words(args)
	for _, w := range words {
		if !slices.Contains(knownMethods, w) {
			return nil, 0, errors.New("Invalid Method '" + w + "'")
		}
	}
	set := newMethods(false, words...)
	return func(_ context.Context, x *exchange.Exchange, _ *gate) verdict { return when(set.has(x.Req.Method)) }, neutral, nil
}

// requireExpr: an expression that asks for the user may come out differently once there is one.
func requireExpr(s *directive.Scope, args string) (check, verdict, error) {
	if len(args) > 1 && args[0] == '"' && args[len(args)-1] == '"' {
		args = args[1 : len(args)-1]
	}
	e, err := expr.Compile(args, site.ExprOptions(s, "authz_core"))
	if err != nil {
		return nil, 0, errors.New("Cannot parse expression in require line: " + err.Error())
	}
	no := denied
	if strings.Contains(strings.ToUpper(args), "REMOTE_USER") {
		no = deniedUser
	}
	return func(_ context.Context, x *exchange.Exchange, _ *gate) verdict {
		ok, err := e.Match(x)
		switch {
		case err != nil:
			x.Log("authz_core", exchange.Error, nil, "AH02320: Error evaluating expression in 'Require expr': "+err.Error())
			return broken
		case ok:
			return granted
		}
		return no
	}, neutral, nil
}

func requireIP(_ *directive.Scope, args string) (check, verdict, error) {
	words := apacheconf.Words(args)
	if len(words) == 0 {
		return nil, 0, errors.New("'require ip' requires an argument")
	}
	var set networks
	for _, w := range words {
		n, err := parseNetwork(w)
		if err == errNotIP {
			return nil, 0, errors.New("ip address '" + w + "' appears to be invalid")
		}
		if err != nil {
			return nil, 0, errors.New("ip address '" + w + "' appears to be invalid: " + err.Error())
		}
		set = append(set, n)
	}
	return func(_ context.Context, x *exchange.Exchange, _ *gate) verdict { return when(set.contains(clientIP(x))) }, neutral, nil
}

func requireLocal(*directive.Scope, string) (check, verdict, error) {
	return func(_ context.Context, x *exchange.Exchange, _ *gate) verdict {
		ip := clientIP(x)
		return when(ip.IsLoopback() || x.Conn != nil && ip.IsValid() && ip == x.Conn.Local.Addr().Unmap().WithZone(""))
	}, neutral, nil
}

// words is the words of a Require line, which is a string expression.
type words struct {
	fixed  []string
	text   *expr.String // nil: the words are fixed
	module string
	fault  string // AH number and what was to be found out, for the log
}

func newWords(s *directive.Scope, args, module, fault string) (*words, error) {
	e, err := expr.CompileString(args, site.ExprOptions(s, module))
	if err != nil {
		return nil, errors.New("Cannot parse expression in require line: " + err.Error())
	}
	if text, ok := e.Const(); ok {
		return &words{fixed: apacheconf.Words(text)}, nil
	}
	return &words{text: e, module: module, fault: fault}, nil
}

// of is the words for a request; ok is false when the expression failed, which was logged.
func (w *words) of(x *exchange.Exchange) (list []string, ok bool) {
	if w.text == nil {
		return w.fixed, true
	}
	s, err := w.text.Eval(x)
	if err != nil {
		x.Log(w.module, exchange.Error, nil, w.fault+": Can't evaluate require expression: "+err.Error())
		return nil, false
	}
	return apacheconf.Words(s), true
}

func requireUser(s *directive.Scope, args string) (check, verdict, error) {
	w, err := newWords(s, args, "authz_user", "AH02594: authz_user authorize: require user")
	return func(_ context.Context, x *exchange.Exchange, g *gate) verdict {
		if !g.hasUser(x) {
			return deniedUser
		}
		list, ok := w.of(x)
		if ok && slices.Contains(list, x.User) {
			return granted
		}
		x.Log("authz_user", exchange.Debug, nil, x.Arena.Join("AH01663: access to ", x.Req.Path, " failed, reason: user '", x.User, "' does not meet 'require'ments for user to be allowed access"))
		return denied
	}, neutral, err
}

func requireValidUser(*directive.Scope, string) (check, verdict, error) {
	return func(_ context.Context, x *exchange.Exchange, g *gate) verdict {
		if !g.hasUser(x) {
			return deniedUser
		}
		return granted
	}, neutral, nil
}

// requireTLS lets connections in by their TLS (httpd: ssl_engine_kernel.c ssl_authz_require_ssl_check,
// ssl_authz_verify_client_check).
func requireTLS(name string, good func(*exchange.TLS) bool) opener {
	return func(_ *directive.Scope, args string) (check, verdict, error) {
		if args != "" {
			return nil, 0, errors.New("'Require " + name + "' does not take arguments")
		}
		return func(_ context.Context, x *exchange.Exchange, _ *gate) verdict {
			return when(x.Conn != nil && x.Conn.TLS != nil && good(x.Conn.TLS))
		}, neutral, nil
	}
}
