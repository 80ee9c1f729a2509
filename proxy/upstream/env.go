package upstream

import (
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// switches are the environment variables that change a request to a member, read once an exchange.
type switches struct {
	http10      bool // force-proxy-request-1.0
	close       bool // proxy-nokeepalive
	fresh       bool // proxy-initial-not-pooled
	sendLength  bool // proxy-sendcl
	sendChunked bool // proxy-sendchunked, proxy-sendchunks
	chainAuth   bool // Proxy-Chain-Auth
	noHalfClose bool // proxy-nohalfclose
	interim     backend.Interim
}

// switchNames is the table of these variables.
var switchNames = map[string]func(*switches) *bool{
	"force-proxy-request-1.0":  func(s *switches) *bool { return &s.http10 },
	"proxy-nokeepalive":        func(s *switches) *bool { return &s.close },
	"proxy-initial-not-pooled": func(s *switches) *bool { return &s.fresh },
	"proxy-sendcl":             func(s *switches) *bool { return &s.sendLength },
	"proxy-sendchunked":        func(s *switches) *bool { return &s.sendChunked },
	"proxy-sendchunks":         func(s *switches) *bool { return &s.sendChunked },
	"Proxy-Chain-Auth":         func(s *switches) *bool { return &s.chainAuth },
	"proxy-nohalfclose":        func(s *switches) *bool { return &s.noHalfClose },
}

func (s *switches) read(env *exchange.Table) {
	*s = switches{}
	for i := 0; i < env.Len(); i++ {
		name, value := env.At(i)
		if len(name) < len("proxy-sendcl") || name[0] != 'p' && name[0] != 'f' && name[0] != 'P' {
			continue
		}
		if f := switchNames[name]; f != nil {
			*f(s) = true
		} else if name == "proxy-interim-response" {
			s.interim = interimOf(value)
		}
	}
}

// interimOf: what is neither RFC nor Suppress suppresses too, as in httpd.
func interimOf(value string) backend.Interim {
	if exchange.EqualFold(value, "RFC") {
		return backend.InterimRFC
	}
	return backend.InterimSuppress
}

// setPickVariables notes in the environment who was picked and why, for logs and header fields. A later
// attempt overwrites it (httpd: mod_proxy_balancer.c proxy_balancer_pre_request).
func setPickVariables(x *exchange.Exchange, b *balancer.Balancer, c *balancer.Claim) {
	x.Env.Set("BALANCER_NAME", b.Name())
	x.Env.Set("BALANCER_WORKER_NAME", c.Worker.URL())
	x.Env.Set("BALANCER_WORKER_ROUTE", c.Worker.Settings().Route)
	if c.HasSession {
		x.Env.Set("BALANCER_SESSION_STICKY", c.StickyName)
		x.Env.Set("BALANCER_SESSION_ROUTE", c.SessionRoute)
	}
	if c.RouteChanged {
		x.Env.Set("BALANCER_ROUTE_CHANGED", "1")
	}
}
