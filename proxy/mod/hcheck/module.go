package hcheck

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/site"
)

// Calls is how the traffic to a URL goes from a server: its timeouts, addresses, TLS. url is a balancer's, "balancer://x/".
type Calls func(h *site.Host, url string) (backend.Call, error)

// Module is mod_proxy_hcheck for the members of a farm, which are asked through members as calls says. It stands
// behind mod/proxy in the list of modules: what that puts in force is what is checked.
func Module(farm *balancer.Farm, members backend.Table, calls Calls) site.Module {
	k := newChecker(farm, members, calls)
	farm.OnEdit(k.edited)
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		st.OnCommit(func() { k.begin(st) })
		return nil, nil
	}
	return site.Module{Name: "proxy_hcheck", Open: open, Table: directive.Table{
		{Name: "ProxyHCTemplate", Set: setTemplate, Help: "a name for some health check parameters"},
		{Name: "ProxyHCExpr", Set: setExpr, Help: "a name for a condition on the answer to a health check"},
		{Name: "ProxyHCTPsize", Set: setThreads, Help: "threads of health checks: 0 changes the words of the log; each check is a goroutine"},
	}}
}
