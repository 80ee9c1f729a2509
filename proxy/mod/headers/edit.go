package headers

import (
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// edit is one directive. Immutable after the load.
type edit struct {
	act   action
	name  string           // the field's
	re    *pattern.Pattern // of edit and edit*: for values; of echo: for names
	value value            // of edit and edit*: what takes the match's place

	early  bool
	env    string // a variable that must be there; "" for none
	absent bool   // … that must not
	cond   *expr.Expr

	isType bool // the field is Content-Type
}

// target is the header that edits are applied to.
type target struct {
	x *exchange.Exchange
	h *exchange.Header

	types bool   // the type of the response is edited along: ct is in use
	ct    string // the response's type, which wins over a field in the end (httpd: r->content_type)
}

func apply(list []edit, t *target) {
	for i := range list {
		if e := &list[i]; e.wanted(t.x) {
			e.apply(t)
		}
	}
}

// wanted reports whether the directive's condition holds. One that cannot be evaluated does
// (httpd: mod_headers.c do_headers_fixup).
func (e *edit) wanted(x *exchange.Exchange) bool {
	switch {
	case e.cond != nil:
		ok, err := e.cond.Match(x)
		if err != nil {
			x.Log("headers", exchange.Error, nil, "AH01501: Failed to evaluate expression ("+err.Error()+") - ignoring")
			return true
		}
		return ok
	case e.env != "":
		return x.Env.Has(e.env) != e.absent
	}
	return true
}
