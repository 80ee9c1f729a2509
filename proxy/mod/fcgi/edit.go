package fcgi

import (
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// edit is a ProxyFCGISetEnvIf.
type edit struct {
	when  *expr.Expr
	name  string
	value *expr.String
	unset bool
}

// edits are those of a chain, in order.
type edits []edit

// apply changes the variables of a request that is about to be sent (httpd: mod_proxy_fcgi.c fix_cgivars).
func (l edits) apply(x *exchange.Exchange) error {
	for i := range l {
		e := &l[i]
		var groups expr.Captures
		holds, err := e.when.MatchCaptures(x, &groups)
		if err != nil {
			x.Log("proxy_fcgi", exchange.Error, nil, "AH10241: fix_cgivars: Condition eval failed: "+err.Error())
			return exchange.Status(503)
		}
		switch {
		case !holds:
		case e.unset:
			x.Env.Unset(e.name)
		default:
			text, err := e.value.EvalWith(x, &groups)
			if err != nil {
				x.Log("proxy_fcgi", exchange.Info, nil, "AH03514: Error evaluating expression for replacement of "+e.name+": '"+err.Error()+"'")
				continue
			}
			x.Env.Set(e.name, text)
		}
	}
	return nil
}
