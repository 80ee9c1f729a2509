package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// accessSettings is what a section says with Order, Allow, Deny and Satisfy. The inner section's
// replace the outer's altogether (httpd: mod_access_compat.c access_compat_dir_conf).
type accessSettings struct {
	set         bool
	orders      []byMethod[order]
	satisfy     []byMethod[bool] // any
	allow, deny []source
}

var accesses = directive.NewKey[accessSettings]("mod_access_compat", func(outer, inner accessSettings) accessSettings {
	if inner.set {
		return inner
	}
	return outer
})

// byMethod is a value that <Limit> gave to some methods.
type byMethod[T any] struct {
	methods methods
	value   T
}

// last is the value that a later line gave to a method; the zero value when none did.
func last[T any](list []byMethod[T], method string) T {
	var v T
	for i := range list {
		if list[i].methods.has(method) {
			v = list[i].value
		}
	}
	return v
}

// order is Order: which list is asked last and so decides.
type order uint8

const (
	denyAllow order = iota
	allowDeny
	mutualFailure
)

// source is one word of Allow from or Deny from.
type source struct {
	methods methods
	all     bool
	env     string // a variable that must be there, or not
	unset   bool   // env=!NAME
	network network
	isIP    bool
	host    string
}

func setOrder(s *directive.Scope, a directive.Args) error {
	o, ok := map[string]order{"allow,deny": allowDeny, "deny,allow": denyAllow, "mutual-failure": mutualFailure}[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("unknown order")
	}
	c := accesses.In(s)
	c.set, c.orders = true, append(c.orders, byMethod[order]{limitOf(s), o})
	return nil
}

func setSatisfy(s *directive.Scope, a directive.Args) error {
	anyOf, ok := map[string]bool{"any": true, "all": false}[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("Satisfy either 'any' or 'all'.")
	}
	c := accesses.In(s)
	c.set, c.satisfy = true, append(c.satisfy, byMethod[bool]{limitOf(s), anyOf})
	return nil
}

// setAccess is Allow and Deny (httpd: mod_access_compat.c allow_cmd).
func setAccess(list func(*accessSettings) *[]source) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if !strings.EqualFold(a.Words[0], "from") {
			return errors.New("allow and deny must be followed by 'from'")
		}
		from, err := parseSource(a.Words[1])
		if err != nil {
			return err
		}
		from.methods = limitOf(s)
		c := accesses.In(s)
		c.set = true
		*list(c) = append(*list(c), from)
		return nil
	}
}

func parseSource(w string) (source, error) {
	if len(w) >= 4 && strings.EqualFold(w[:4], "env=") {
		name, unset := strings.CutPrefix(w[4:], "!")
		return source{env: name, unset: unset}, nil
	}
	if strings.EqualFold(w, "all") {
		return source{all: true}, nil
	}
	n, err := parseNetwork(w)
	switch {
	case err == nil:
		return source{network: n, isIP: true}, nil
	case err != errNotIP:
		return source{}, err
	case strings.Contains(w, "/"):
		return source{}, errors.New("An IP address was expected")
	case strings.Contains(w, "#"):
		return source{}, errors.New("No comments are allowed here")
	}
	return source{host: w}, nil
}

// listed reports whether a list names the client (httpd: mod_access_compat.c find_allowdeny).
func listed(ctx context.Context, x *exchange.Exchange, list []source, g *gate) bool {
	for i := range list {
		if s := &list[i]; s.methods.has(x.Req.Method) && s.names(ctx, x, g) {
			return true
		}
	}
	return false
}

func (s *source) names(ctx context.Context, x *exchange.Exchange, g *gate) bool {
	switch {
	case s.all:
		return true
	case s.isIP:
		return s.network.contains(clientIP(x))
	case s.host != "":
		name := g.hostOf(ctx, x)
		return name != "" && inDomain(s.host, name)
	}
	return x.Env.Has(s.env) != s.unset
}

// lets reports whether Order, Allow and Deny let the client in (httpd: mod_access_compat.c check_dir_access).
func (c *accessSettings) lets(ctx context.Context, x *exchange.Exchange, g *gate) bool {
	switch last(c.orders, x.Req.Method) {
	case allowDeny, mutualFailure:
		return listed(ctx, x, c.allow, g) && !listed(ctx, x, c.deny, g)
	}
	return !listed(ctx, x, c.deny, g) || listed(ctx, x, c.allow, g)
}

// letsAll reports whether nobody is ever kept out, so that nothing needs to be asked.
func (c *accessSettings) letsAll() bool {
	everybody := func(s source) bool { return s.all && s.methods.all() }
	if len(c.deny) > 0 {
		return len(c.orders) == 0 && slices.ContainsFunc(c.allow, everybody)
	}
	strict := slices.ContainsFunc(c.orders, func(o byMethod[order]) bool { return o.value != denyAllow })
	return !strict || slices.ContainsFunc(c.allow, everybody)
}
