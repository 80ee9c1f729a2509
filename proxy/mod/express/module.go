package express

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/internal/dbm"
	"balancerd/proxy/site"
)

const key = "proxy_express"

// settings is what a server says, wherever in it (httpd: mod_proxy_express.c express_server_conf).
type settings struct {
	on   bool
	file string // "": none
	kind string // "": default
}

// servers: a virtual host that says anything has a type of its own, and can't switch off what the main server has
// switched on (httpd: mod_proxy_express.c server_merge).
var servers = directive.NewKey(key, func(outer, inner settings) settings {
	m := settings{on: outer.on || inner.on, file: inner.file, kind: inner.kind}
	if m.file == "" {
		m.file = outer.file
	}
	return m
})

// Module is mod_proxy_express. In the modules' list it stands behind the proxy, whose mapping goes first.
func Module() site.Module {
	return site.Module{Name: "proxy_express", Reads: []string{key}, Open: open, Table: directive.Table{
		{Name: "ProxyExpressEnable", Set: in(setEnable), Help: "whether a table says which member a host's requests go to"},
		{Name: "ProxyExpressDBMFile", Set: in(setFile), Help: "the table, as httxt2dbm makes it"},
		{Name: "ProxyExpressDBMType", Set: in(setType), Help: "the table's type: sdbm, db or default"},
	}}
}

// in has a line write to its server, also where it stands in a section.
func in(set func(*settings, *directive.Scope, directive.Args) error) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if s.Config.InAccessFile() {
			s.Config.Hint(a, a.Name+" has no effect in an access file: it is a whole server's (httpd changes the server, for all requests from then on)")
			return nil
		}
		return set(servers.In(s.Server), s, a)
	}
}

func setEnable(c *settings, _ *directive.Scope, a directive.Args) error {
	c.on = a.On
	return nil
}

func setFile(c *settings, s *directive.Scope, a directive.Args) error {
	c.file = s.Config.Tree.Path(a.Words[0])
	return nil
}

func setType(c *settings, s *directive.Scope, a directive.Args) error {
	c.kind = a.Words[0]
	kind, err := dbm.TypeOf(c.kind)
	switch {
	case err != nil:
		return &directive.Hinted{Msg: "ProxyExpressDBMType: dbm type " + c.kind + " can't be read here", Hint: "httxt2dbm -f SDBM makes a table that can, for ProxyExpressDBMType sdbm"}
	case kind == nil:
		s.Config.Fails(a, "there is no such type of table: no host is looked for")
	}
	return nil
}

func open(*directive.Config, *site.Site) (site.Builder, error) { return build, nil }

func build(chain []*directive.Scope, p *site.Plan) error {
	c := servers.Merged(chain...)
	if !c.on {
		return nil
	}
	if c.kind == "" {
		c.kind = "default"
	}
	t := &table{file: c.file, name: c.kind}
	var err error
	if t.kind, err = dbm.TypeOf(c.kind); err != nil {
		return err
	}
	p.Add(site.Translate, "ProxyExpress", t.step)
	return nil
}
