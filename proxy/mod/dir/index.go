package dir

import (
	"net/http"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// document finds what to show of a directory.
func (p *plan) document(x *exchange.Exchange) error {
	if !strings.HasSuffix(x.Req.Path, "/") {
		return p.addSlash(x)
	}
	if x.Handler == exchange.RedirectHandler {
		return nil
	}
	if p.checkHandler.Or(false) && x.Handler != directoryHandler {
		return nil
	}
	return p.firstIndex(x)
}

// firstIndex is the first index document that is there and may be served: each is looked up as a GET,
// whatever the exchange's own method. One that may not be served counts only when no other can
// (httpd: mod_dir.c fixup_dir).
func (p *plan) firstIndex(x *exchange.Exchange) error {
	refused := 0
	names := p.indexes()
	for i, name := range names {
		y, status := site.HostOf(x).LookUp(x, withQuery(x, name))
		if status == http.StatusOK && servable(y) {
			return p.serveIndex(x, y)
		}
		y.Finish()
		last := i == len(names)-1
		if status >= 300 && status < 400 || last && (status == http.StatusUnauthorized || status == http.StatusNotAcceptable) {
			x.TakeFields(y)
			return exchange.Status(status)
		}
		if status != http.StatusOK && status != http.StatusNotFound {
			refused = status
		}
	}
	if refused != 0 {
		return exchange.Status(refused)
	}
	return nil
}

// servable reports whether a lookup found a file or a member.
func servable(y *exchange.Exchange) bool {
	return y.FileType == exchange.Regular || y.Handler == "proxy-server"
}

func (p *plan) indexes() []string {
	if p.index == nil {
		return []string{"index.html"}
	}
	return p.index
}

// addSlash sends the client to the directory's proper name, so that relative links work.
func (p *plan) addSlash(x *exchange.Exchange) error {
	if !p.slash.Or(true) || !x.Req.IsGet() && x.Env.Has("redirect-carefully") {
		return nil
	}
	to := exchange.EscapePath(x.Req.Path) + "/"
	if x.Req.HasQuery {
		to += "?" + x.Req.Query
	}
	x.Res.Always.Set("Location", x.ConstructURL(to))
	return exchange.Status(http.StatusMovedPermanently)
}

func (p *plan) serveIndex(x, y *exchange.Exchange) error {
	if status := p.indexRedirect.Or(0); status != 0 {
		y.Finish()
		x.Res.Always.Set("Location", x.ConstructURL(exchange.EscapePath(y.Req.Path)))
		return exchange.Status(status)
	}
	return &exchange.Redirect{Found: y}
}

func withQuery(x *exchange.Exchange, path string) string {
	if x.Req.HasQuery {
		return path + "?" + x.Req.Query
	}
	return path
}
