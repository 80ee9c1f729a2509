package heartbeat

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer/method"
	"balancerd/proxy/site"
)

// defaultStorage is httpd's DEFAULT_HEARTBEAT_STORAGE, from the runtime directory.
const defaultStorage = "hb.dat"

var storage = directive.NewKey[string]("lbmethod_heartbeat", func(outer, inner string) string { return inner })

// Module is mod_lbmethod_heartbeat for m, which reads the file of the configuration in force.
func Module(m *method.Heartbeat) site.Module {
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		path := *storage.In(c.Main)
		if path == "" {
			path = defaultStorage
		}
		st.OnCommit(func() { m.SetStorage(c.Tree.RuntimePath(path)) })
		return nil, nil
	}
	return site.Module{Name: "lbmethod_heartbeat", Open: open, Table: directive.Table{
		{Name: "HeartbeatStorage", Set: setStorage, Help: "the file in which mod_heartmonitor says how loaded members are"},
	}}
}

// setStorage sets it for the whole server, wherever the directive stands.
func setStorage(s *directive.Scope, a directive.Args) error {
	*storage.In(s.Config.Main) = a.Words[0]
	return nil
}
