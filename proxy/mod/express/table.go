package express

import (
	"context"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/dbm"
)

// table is what a server looks hosts up in. Immutable.
type table struct {
	file string // "": there is none
	name string // of its type, as the configuration has it
	kind *dbm.Type
}

// What mod_proxy's handler is called, and what marks a URL in the place of a file's name.
const (
	proxyHandler = "proxy-server"
	proxyPrefix  = "proxy:"
)

// step sends the request to the member that the table has for its host. Where the table, or the host in it, is not there,
// whoever comes next maps the path (httpd: mod_proxy_express.c xlate_name).
func (t *table) step(_ context.Context, x *exchange.Exchange) error {
	debug(x, "AH01001: proxy_express: Enabled")
	if t.file == "" || x.Forwarded() {
		return nil
	}
	debug(x, "AH01002: proxy_express: Opening DBM file: ", t.file, " (", t.name, ")")
	url, ok := t.find(x)
	if !ok {
		return nil
	}
	x.Filename, x.Handler = x.Arena.Join(proxyPrefix, url, x.Req.Path), proxyHandler
	debug(x, "AH01005: proxy_express: rewritten as: ", x.Filename)
	return exchange.Stop
}

// find is the URL of the request's host. A table that can't be read is told to those who ask for it: httpd says nothing.
func (t *table) find(x *exchange.Exchange) (url string, ok bool) {
	if t.kind == nil {
		return "", false
	}
	name := x.ServerName()
	debug(x, "AH01003: proxy_express: looking for ", name)
	x.Block()
	url, ok, err := t.kind.Find(t.file, name)
	switch {
	case err != nil:
		x.Log(key, exchange.Info, err, "AH10276: The '"+t.name+"' file '"+t.file+"' could not be loaded")
	case ok:
		debug(x, "AH01004: proxy_express: found ", name, " -> ", url)
	}
	return url, ok
}

func debug(x *exchange.Exchange, text ...string) {
	if x.Enabled(key, exchange.Debug) {
		x.Log(key, exchange.Debug, nil, x.Arena.Join(text...))
	}
}
