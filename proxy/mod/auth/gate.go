package auth

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// gate is what the sections in force ask of a client: compiled once a chain of scopes, immutable.
type gate struct {
	access *accessSettings // nil: Order, Allow and Deny let everybody in
	any    []byMethod[bool]
	rules  *rule // nil: Require lets everybody in
	bare   bool  // AuthType without any Require: a mistake, 500
	login  *login
	strict bool // AuthzSendForbiddenOnFailure
	groups string
	names  *names
	files  *files
}

// newGate is the gate of a chain; nil when it stands open. With debug, rules that let everybody in are
// asked all the same, because each is to be logged.
func newGate(chain []*directive.Scope, n *names, p *passwords, f *files, debug bool) *gate {
	req, acc := requires.Merged(chain...), accesses.Merged(chain...)
	g := &gate{any: acc.satisfy, strict: req.forbidden.Or(false), names: n, files: f,
		groups: fileNames.Merged(chain...).groups.Or(""), login: newLogin(chain, p, f)}
	if !acc.letsAll() {
		g.access = &acc
	}
	if req.root == nil {
		g.bare = g.login.configured()
	} else if v, known := req.root.constant(); !known || v != granted || debug {
		g.rules = req.root
	}
	if g.open() {
		return nil
	}
	return g
}

// open reports whether nobody can be refused.
func (g *gate) open() bool {
	if g.rules == nil && !g.bare {
		return g.access == nil || g.anyAlways() // Satisfy Any: no Require is as good as one that is met
	}
	return g.access == nil && g.anyAlways()
}

// anyAlways reports whether Satisfy Any holds for every method.
func (g *gate) anyAlways() bool {
	n := len(g.any)
	return n > 0 && g.any[n-1].value && g.any[n-1].methods.all()
}

// step lets an exchange through or says why not (httpd: request.c ap_process_request_internal).
func (g *gate) step(ctx context.Context, x *exchange.Exchange) error {
	plan := site.PlanOf(x)
	if x.Prev != nil && x.State[exchange.StateAuth] == any(plan) && !plan.Anew {
		return nil // the rules of the same sections were asked before this internal redirect: the ErrorDocument of a 401 must not be another one
	}
	if x.State[exchange.StateAuth] != nil { // other rules ask anew
		x.User, x.AuthType = "", ""
	}
	x.State[exchange.StateAuth] = plan
	let := g.access == nil || g.access.lets(ctx, x, g)
	if !let {
		x.Log("access_compat", exchange.Error, nil, x.Arena.Join("AH01797: client denied by server configuration: ", subject(x)))
	}
	either := last(g.any, x.Req.Method)
	switch {
	case let && either:
		return nil
	case !let && !either:
		return exchange.Status(403)
	}
	return g.require(ctx, x, either)
}

// subject is what the request is about, as denials are logged.
func subject(x *exchange.Exchange) string {
	if x.Filename == "" {
		return x.Arena.Join("uri ", x.Req.Path)
	}
	return x.Filename
}

// require asks the rules without a user first, and with one if that may help.
func (g *gate) require(ctx context.Context, x *exchange.Exchange, either bool) error {
	if g.bare {
		if g.login.kindOf(x) == "" {
			return nil
		}
		x.Log("authz_core", exchange.Error, nil, "AH01627: AuthType configured with no corresponding authorization directives")
		return exchange.Status(500)
	}
	if g.rules == nil {
		return nil
	}
	switch g.rules.eval(ctx, x, g, true) {
	case granted:
		return nil
	case broken:
		return exchange.Status(500)
	case deniedUser:
	default:
		return g.deny(x)
	}
	if err := g.login.authenticate(ctx, x, either); err != nil {
		return err
	}
	return g.authorize(ctx, x)
}

func (g *gate) deny(x *exchange.Exchange) error {
	x.Log("authz_core", exchange.Error, nil, x.Arena.Join("AH01630: client denied by server configuration: ", subject(x)))
	return exchange.Status(403)
}

// authorize asks the rules about the user.
func (g *gate) authorize(ctx context.Context, x *exchange.Exchange) error {
	switch g.rules.eval(ctx, x, g, true) {
	case granted:
		return nil
	case broken:
		return exchange.Status(500)
	case deniedUser:
		x.Log("authz_core", exchange.Error, nil, x.Arena.Join("AH01629: authorization failure (no authenticated user): ", x.Req.Path))
		return g.login.challenge(x)
	}
	x.Log("authz_core", exchange.Error, nil, x.Arena.Join(`AH01631: user `, x.User, `: authorization failure for "`, x.Req.Path, `": `))
	if g.strict {
		return exchange.Status(403)
	}
	return g.login.challenge(x)
}

// hasUser reports whether the client said who it is.
func (g *gate) hasUser(x *exchange.Exchange) bool { return x.AuthType != "" || x.User != "" }

// explain tells LogLevel debug what a rule came to.
func (g *gate) explain(x *exchange.Exchange, code string, r *rule, v verdict, why string) {
	if x.Enabled("authz_core", exchange.Debug) {
		x.Log("authz_core", exchange.Debug, nil, x.Arena.Join(code, ": authorization result of ", r.text, ": ", verdictWords[v], why))
	}
}
