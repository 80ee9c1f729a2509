package reqtimeout

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_reqtimeout. Where it is not loaded a handshake, and a request's head and body, have Timeout alone.
func Module() site.Module {
	return site.Module{Name: "reqtimeout", Open: open, Table: directive.Table{
		{Name: "RequestReadTimeout", Set: setReadTimeout, Help: "how long a TLS handshake, and a request's head and body, may take"},
	}}
}

func open(c *directive.Config, st *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_reqtimeout.c") {
		return nil, nil
	}
	for _, h := range st.Hosts {
		s := scopes.Merged(c.Main)
		if h.Scope != c.Main {
			s = scopes.Merged(c.Main, h.Scope)
		}
		h.Server.HandshakeRead = s.handshake.Or(exchange.ReadLimit{})
		h.Server.HeaderRead, h.Server.BodyRead = s.header.Or(defaultHeader), s.body.Or(defaultBody)
	}
	return nil, nil
}
