package status

import (
	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/site"
)

// Members returns what Options.Proxy wants: the balancers of the request's virtual host, where ProxyStatus is On.
func Members(farm *balancer.Farm) func(*exchange.Exchange) []Balancer {
	return func(x *exchange.Exchange) []Balancer {
		if !proxy.FactsOf(site.HostOf(x).Scope).Status {
			return nil
		}
		var out []Balancer
		for _, b := range farm.Balancers(x.Server.ID) {
			set := b.Settings()
			row := Balancer{Name: b.Name(), Sticky: set.Sticky.Cookie, StickyPath: set.Sticky.Path, Timeout: set.Timeout, Method: set.Method.V}
			for _, w := range b.Members() {
				row.Members = append(row.Members, memberRow(w))
			}
			out = append(out, row)
		}
		return out
	}
}

func memberRow(w *balancer.Worker) Member {
	s, a := w.Snapshot(), w.Address()
	set := s.Settings
	return Member{
		Name: w.Name(), Scheme: a.Scheme, Host: a.Host, Status: s.Status.String(), Route: set.Route, Redirect: set.Redirect,
		Factor: set.LoadFactor, Set: set.LBSet, Elected: int64(s.Elected), Busy: s.Busy, Sent: s.Sent, Received: s.Read,
	}
}
