package auth

import (
	"context"

	"balancerd/proxy/exchange"
)

// verdict is what a rule says of a request (httpd: mod_auth.h authz_status).
type verdict uint8

const (
	neutral    verdict = iota // nothing, one way or the other
	granted                   // come in
	denied                    // stay out
	deniedUser                // stay out, unless a user says who it is
	broken                    // the rule itself failed; it has logged why: 500
)

var verdictWords = [...]string{neutral: "neutral", granted: "granted", denied: "denied", deniedUser: "denied (no authenticated user yet)"}

// check asks one provider.
type check func(ctx context.Context, x *exchange.Exchange, g *gate) verdict

// rule is one Require, or a group of them: <RequireAll>, <RequireAny>, <RequireNone>. Immutable once
// the configuration is read.
type rule struct {
	methods methods // for which it holds; a group's is the union of its members'
	negate  bool    // "not", or <RequireNone>
	text    string  // as AH01626 prints it: "Require ip 10.0.0.1", "<RequireAll>"

	check check   // of a single rule
	fixed verdict // what check always says; neutral when that depends

	all     bool // a group: every member must grant
	members []*rule
}

// isGroup tells a group from a single rule.
func (r *rule) isGroup() bool { return r.check == nil }

// eval is the verdict for a request (httpd: mod_authz_core.c apply_authz_sections).
func (r *rule) eval(ctx context.Context, x *exchange.Exchange, g *gate, inAll bool) verdict {
	if !r.methods.has(x.Req.Method) {
		v := neutral
		if inAll {
			v = granted
		}
		g.explain(x, "AH01625", r, v, " (directive limited to other methods)")
		return v
	}
	v := neutral
	if r.isGroup() {
		if v = r.evalMembers(ctx, x, g); v == broken {
			return broken
		}
	} else {
		v = r.check(ctx, x, g)
	}
	v = r.negated(v)
	if v != broken {
		g.explain(x, "AH01626", r, v, "")
	}
	return v
}

// negated: a rule that is not met grants nothing by that alone, it only stays out of the way.
func (r *rule) negated(v verdict) verdict {
	switch {
	case !r.negate:
		return v
	case v == granted:
		return denied
	case v == denied, v == deniedUser:
		return neutral
	}
	return v
}

func (r *rule) evalMembers(ctx context.Context, x *exchange.Exchange, g *gate) verdict {
	v := neutral
	for _, m := range r.members {
		one := m.eval(ctx, x, g, r.all)
		if one == broken {
			return broken
		}
		var done bool
		if v, done = r.combine(v, one); done {
			break
		}
	}
	return v
}

// combine adds a member's verdict to what the ones before it said. done: the others do not matter.
func (r *rule) combine(v, one verdict) (_ verdict, done bool) {
	switch {
	case one == neutral:
		return v, false
	case r.all && one == denied, !r.all && one == granted:
		return one, true
	case v == neutral, r.all && one == deniedUser && v != denied, !r.all && one == deniedUser && v == denied:
		return one, false
	}
	return v, false
}

// constant is the verdict when it is the same for every request: what "Require all granted" says needs
// not be asked.
func (r *rule) constant() (verdict, bool) {
	if !r.methods.all() {
		return neutral, false
	}
	if !r.isGroup() {
		return r.negated(r.fixed), r.fixed != neutral
	}
	v, known := neutral, true
	for _, m := range r.members {
		one, ok := m.constant()
		if !ok {
			known = false
			continue
		}
		var done bool
		if v, done = r.combine(v, one); done {
			return r.negated(v), true
		}
	}
	return r.negated(v), known
}

// onlyNegative is the first group that can grant nothing, because all its members are negated; nil when
// there is none. Groups inside out, as httpd walks them (httpd: mod_authz_core.c authz_core_check_section).
func (r *rule) onlyNegative() *rule {
	for _, m := range r.members {
		if m.isGroup() {
			if bad := m.onlyNegative(); bad != nil {
				return bad
			}
		}
	}
	for _, m := range r.members {
		if positive(m, r.all) {
			return nil
		}
	}
	return r
}

// positive reports whether a member can grant something to a group. A negated group of the other kind
// counts as its members would, each turned round (De Morgan).
func positive(m *rule, inAll bool) bool {
	if m.isGroup() && m.negate && m.all != inAll {
		for _, in := range m.members {
			if in.negate {
				return true
			}
		}
		return false
	}
	return !m.negate
}
