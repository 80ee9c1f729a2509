package heartbeat

import (
	"balancerd/apacheconf/directive"
	"balancerd/balancer/method"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// defaultStorage is httpd's DEFAULT_HEARTBEAT_STORAGE, from the runtime directory.
const defaultStorage = "hb.dat"

var storage = directive.NewKey[string]("lbmethod_heartbeat", func(outer, inner string) string { return inner })

// storageOf is the file that the directive names; an absolute path.
func storageOf(c *directive.Config) string {
	path := *storage.In(c.Main)
	if path == "" {
		path = defaultStorage
	}
	return c.Tree.RuntimePath(path)
}

// Module is mod_lbmethod_heartbeat for m, which reads the file of the configuration in force, unless MonitorModule has a
// table for it. HeartbeatStorage is that module's, too.
func Module(m *method.Heartbeat) site.Module {
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		st.OnCommit(func() { m.SetStorage(storageOf(c)) })
		switch {
		case !c.Loaded("mod_lbmethod_heartbeat.c") || c.Tree.Partial: // nobody asked for it
		case usesTable(c):
			st.WarnAtStart("lbmethod_heartbeat", exchange.Notice, "AH02283: Using slotmem from mod_heartmonitor")
		default:
			st.WarnAtStart("lbmethod_heartbeat", exchange.Notice, "AH02282: No slotmem from mod_heartmonitor")
		}
		return nil, nil
	}
	return site.Module{Name: "lbmethod_heartbeat", Open: open, Table: directive.Table{
		{Name: "HeartbeatStorage", Set: setStorage, Help: "the file in which mod_heartmonitor says how loaded members are"},
	}}
}

func setStorage(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	*storage.In(s.Config.Main) = a.Words[0]
	return nil
}
