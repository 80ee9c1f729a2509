package core

import (
	"strconv"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// open fills what the site tells the other packages of its servers.
func open(c *directive.Config, st *site.Site) (site.Builder, error) {
	globals.In(c.Main).fill(st)
	var main string
	used := map[string]bool{}
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
		h.Server.Token = st.Settings.Token
		h.Server.Levels = serverLevels(c, h.Scope)
		h.Server.DefinedAt = h.Scope.Pos.File + ":" + strconv.Itoa(h.Scope.Pos.Line)
		h.Server.ID = identity(h, used)
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
	return withDefault(d.levels)
}

// identity names a host's balancers over reloads, as httpd does: the id in the manager's brackets.
// Hosts that have address and name in common are told apart by their order.
func identity(h *site.Host, used map[string]bool) string {
	word, ip, port := "", "0.0.0.0", uint16(0)
	if len(h.Addresses) > 0 {
		a := h.Addresses[0]
		word, port = "*", uint16(a.Port)
		if a.IP.IsValid() {
			word, ip = a.IP.String(), a.IP.String()
		}
	}
	for name := h.Server.Name; ; name += "|" {
		if id := hostID(word, ip, port, name); !used[id] {
			used[id] = true
			return id
		}
	}
}
