package core

import (
	"fmt"
	"hash/fnv"
	"strconv"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// open fills what the site tells the rest of the house of its servers.
func open(c *directive.Config, st *site.Site) (site.Builder, error) {
	processes.In(c.Main).fill(st)
	var main string
	slow := c.Loaded("mod_reqtimeout.c")
	for i, h := range st.Hosts {
		own := *servers.In(h.Scope)
		m := servers.Merged(c.Main, h.Scope)
		if i == 0 {
			m = own
			if own.name == "" {
				own.name = ownName(st)
			}
		}
		hostNames(st, h, &own, main)
		if i == 0 {
			main = h.Server.Name
		} else {
			h.Addresses = addresses(st, h.Scope)
			m.encodedSlashes = own.encodedSlashes
		}
		m.fill(h.Server)
		if slow {
			h.Server.HeaderRead, h.Server.BodyRead = m.header.Or(defaultHeader), m.body.Or(defaultBody)
		}
		h.Server.Token = st.Settings.Token
		h.Server.Levels = serverLevels(c, h.Scope)
		h.Server.DefinedAt = h.Scope.Pos.File + ":" + strconv.Itoa(h.Scope.Pos.Line)
		h.Server.ID = identity(st, h)
	}
	st.Settings.MainDocumentRoot = st.Hosts[0].Server.DocumentRoot
	return build, nil
}

func serverLevels(c *directive.Config, scope *directive.Scope) *exchange.Levels {
	d := dirs.Merged(c.Main, scope)
	if scope == c.Main {
		d = dirs.Merged(c.Main)
	}
	if d.levels == nil {
		return &exchange.Levels{All: exchange.Warn}
	}
	return settle(d.levels)
}

// identity names a host's balancers over reloads: a hash of its first address and its name
// (httpd: mod_proxy.c ap_proxy_set_scoreboard_lb, the id in the manager's brackets).
func identity(st *site.Site, h *site.Host) string {
	hash := fnv.New32a()
	if len(h.Addresses) > 0 {
		fmt.Fprint(hash, h.Addresses[0].IP, ":", h.Addresses[0].Port)
	} else if len(st.Listeners) > 0 {
		fmt.Fprint(hash, st.Listeners[0].Address)
	}
	fmt.Fprint(hash, "|", h.Server.Name)
	if !h.Server.Main {
		fmt.Fprint(hash, "|vhost")
	}
	return fmt.Sprintf("p%08x", hash.Sum32())
}
