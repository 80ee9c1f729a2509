package files

import (
	"net/http"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// magic is the handler's name of a directory that nobody claimed (httpd: DIR_MAGIC_TYPE).
const magic = "httpd/unix-directory"

// index is what stands in a directory's or a missing file's place: a redirect to the name with a slash,
// to an index document, to FallbackResource; nil to go on (httpd: mod_dir.c dir_fixups).
func (p *plan) index(x *exchange.Exchange, at *place) error {
	switch {
	case at.stat == nil:
		return p.fall(x)
	case !at.stat.IsDir() || at.info != "":
		return nil
	}
	if x.Handler == "" {
		x.Handler = magic
	}
	if p.loaded.dir {
		if err := p.document(x); err != nil {
			return err
		}
	}
	return p.list(x, at)
}

// document finds what to show of a directory.
func (p *plan) document(x *exchange.Exchange) error {
	if !strings.HasSuffix(x.Req.Path, "/") {
		return p.addSlash(x)
	}
	if p.dir.checkHandler.Or(false) && x.Handler != magic {
		return nil
	}
	return p.firstIndex(x)
}

// firstIndex is the first index document that is there and may be served: each is looked up as a GET,
// whatever the exchange's own method. One that may not be served counts only when no other can
// (httpd: mod_dir.c fixup_dir).
func (p *plan) firstIndex(x *exchange.Exchange) error {
	refused := 0
	names := p.names()
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

// servable tells that a lookup found a file or a member.
func servable(y *exchange.Exchange) bool {
	return y.FileType == exchange.Regular || y.Handler == "proxy-server"
}

func (p *plan) names() []string {
	if p.dir.index == nil {
		return []string{"index.html"}
	}
	return p.dir.index
}

// addSlash sends the client to the directory's proper name, so that relative links work.
func (p *plan) addSlash(x *exchange.Exchange) error {
	if !p.dir.slash.Or(true) || !isGet(x.Req.Method) && x.Env.Has("redirect-carefully") {
		return nil
	}
	to := escapePath(x.Req.Path) + "/"
	if x.Req.HasQuery {
		to += "?" + x.Req.Query
	}
	x.Res.Always.Set("Location", x.ConstructURL(to))
	return exchange.Status(http.StatusMovedPermanently)
}

func (p *plan) serveIndex(x, y *exchange.Exchange) error {
	if status := p.dir.indexRedirect.Or(0); status != 0 {
		y.Finish()
		x.Res.Always.Set("Location", x.ConstructURL(escapePath(y.Req.Path)))
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

// fall is FallbackResource: what is not there is served by one path, unless that is not there either
// (httpd: mod_dir.c fixup_dflt).
func (p *plan) fall(x *exchange.Exchange) error {
	to := p.dir.fallback.Or("")
	if to == "" || strings.EqualFold(to, "disabled") || !p.loaded.dir || x.Handler != "" || handlerSet(x) {
		return nil
	}
	y, status := site.HostOf(x).LookUp(x, withQuery(x, to))
	if status == http.StatusOK && servable(y) {
		return &exchange.Redirect{Found: y}
	}
	y.Finish()
	if status >= 300 && status < 400 {
		x.TakeFields(y)
	}
	if status != http.StatusOK && status != http.StatusNotFound {
		return exchange.Status(status)
	}
	return nil
}

// list is what is left for a directory without an index: no listing is made.
func (p *plan) list(x *exchange.Exchange, at *place) error {
	if x.Handler != magic || !p.loaded.index || !isGet(x.Req.Method) {
		return nil
	}
	why := "server-generated directory index forbidden by Options directive"
	if p.dir.options.over(defaultOptions).bits&optIndexes != 0 {
		why = "this server makes no directory index"
	}
	x.Log("autoindex", exchange.Error, nil, x.Arena.Join("AH01276: Cannot serve directory ", at.name, ": No matching DirectoryIndex (",
		strings.Join(p.names(), ","), ") found, and ", why))
	return exchange.Status(http.StatusForbidden)
}
