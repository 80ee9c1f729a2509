package files

import (
	"context"
	"net/http"
	"os"
	"strings"

	"balancerd/proxy/exchange"
)

// magic is the handler's name of a directory that nobody claimed (httpd: DIR_MAGIC_TYPE).
const magic = "httpd/unix-directory"

// index is what stands in a directory's or a missing file's place: a redirect to the name with a slash,
// to an index document, to FallbackResource; nil to go on (httpd: mod_dir.c dir_fixups).
func (p *plan) index(ctx context.Context, x *exchange.Exchange, at *place) error {
	switch {
	case at.stat == nil:
		return p.fall(ctx, x)
	case !at.stat.IsDir() || at.info != "":
		return nil
	}
	if x.Handler == "" {
		x.Handler = magic
	}
	if p.loaded.dir {
		if err := p.document(ctx, x, at); err != nil {
			return err
		}
	}
	return p.list(x, at)
}

// document finds what to show of a directory.
func (p *plan) document(ctx context.Context, x *exchange.Exchange, at *place) error {
	if !strings.HasSuffix(x.Req.Path, "/") {
		return p.addSlash(x)
	}
	if p.dir.checkHandler.Or(false) && x.Handler != magic {
		return nil
	}
	for _, name := range p.names() {
		if path := p.candidate(ctx, x, at, name); path != "" {
			return p.serveIndex(x, path)
		}
	}
	return nil
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

// candidate is the path of an index document if it is there: a plain file beside, or a path that the
// proxy serves. An absolute one is taken for there.
func (p *plan) candidate(ctx context.Context, x *exchange.Exchange, at *place, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	path := x.Req.Path + name
	if fi, err := os.Stat(strings.TrimRight(at.name, "/") + "/" + name); err == nil && fi.Mode().IsRegular() {
		return path
	}
	if p.proxied(ctx, x, path) {
		return path
	}
	return ""
}

// proxied tells whether a path maps to a member.
func (p *plan) proxied(ctx context.Context, x *exchange.Exchange, path string) bool {
	return strings.HasPrefix(p.mapped(ctx, x, path), "proxy:")
}

// mapped is what a path maps to. It is tried on a copy of the exchange: httpd makes a subrequest.
func (p *plan) mapped(ctx context.Context, x *exchange.Exchange, path string) string {
	y := x.Sub(path)
	defer y.Finish()
	for _, f := range p.site.Translate {
		if err := f(ctx, y); err == exchange.Stop {
			break
		} else if err != nil {
			return ""
		}
	}
	return y.Filename
}

func (p *plan) serveIndex(x *exchange.Exchange, path string) error {
	if status := p.dir.indexRedirect.Or(0); status != 0 {
		x.Res.Always.Set("Location", x.ConstructURL(escapePath(path)))
		return exchange.Status(status)
	}
	return &exchange.Redirect{Path: withQuery(x, path), Quiet: true}
}

func withQuery(x *exchange.Exchange, path string) string {
	if x.Req.HasQuery {
		return path + "?" + x.Req.Query
	}
	return path
}

// fall is FallbackResource: what is not there is served by one path, unless that is not there either.
func (p *plan) fall(ctx context.Context, x *exchange.Exchange) error {
	to := p.dir.fallback.Or("")
	if to == "" || strings.EqualFold(to, "disabled") || !p.loaded.dir || x.Handler != "" || x.Req.Path == to {
		return nil
	}
	name := p.mapped(ctx, x, to)
	if fi, err := os.Stat(name); !strings.HasPrefix(name, "proxy:") && (err != nil || !fi.Mode().IsRegular()) {
		return nil
	}
	return &exchange.Redirect{Path: withQuery(x, to), Quiet: true}
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
