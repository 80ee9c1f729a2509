package auth

import (
	"context"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// requireHost compares the client's name, looked up both ways (httpd: mod_authz_host.c host_check_authorization).
func requireHost(s *directive.Scope, args string) (check, verdict, error) {
	w, err := newWords(s, args, "authz_host", "AH02593: authz_host authorize: require host")
	return func(ctx context.Context, x *exchange.Exchange, g *gate) verdict {
		host := g.hostOf(ctx, x)
		if host == "" {
			x.Log("authz_host", exchange.Error, nil, x.Arena.Join("AH01753: access check of '", args, "' to ", x.Req.Path, " failed, reason: unable to get the remote host name"))
			return denied
		}
		list, ok := w.of(x)
		if !ok {
			return denied
		}
		return when(slices.ContainsFunc(uncommented(list), func(d string) bool { return inDomain(d, host) }))
	}, neutral, err
}

// requireForward compares the client's address with those of names (httpd: mod_authz_host.c
// forward_dns_check_authorization).
func requireForward(s *directive.Scope, args string) (check, verdict, error) {
	w, err := newWords(s, args, "authz_host", "AH03354: authz_host authorize: require forward-dns")
	return func(ctx context.Context, x *exchange.Exchange, g *gate) verdict {
		list, ok := w.of(x)
		if !ok {
			return denied
		}
		ip := clientIP(x)
		x.Block() // before the look-ups
		return when(slices.ContainsFunc(uncommented(list), func(name string) bool { return leadsTo(ctx, name, ip) }))
	}, neutral, err
}

// uncommented is the words before a "#", which nobody's name has: what follows it must not be let in.
func uncommented(list []string) []string {
	for i, w := range list {
		if name, _, cut := strings.Cut(w, "#"); cut {
			if name == "" {
				return list[:i]
			}
			return append(slices.Clone(list[:i]), name)
		}
	}
	return list
}
