package dir

import (
	"context"
	"net/http"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// directoryHandler is the handler's name of a directory that nothing else claims (httpd: DIR_MAGIC_TYPE).
const directoryHandler = "httpd/unix-directory"

// plan is what the sections in force say of directories: made once for each chain of scopes.
type plan struct {
	settings
	loaded loaded
}

// fixup finds what is served in the place of a directory, or of what is not there (httpd: mod_dir.c dir_fixups). What
// may not be reached is left alone: the default handler refuses it.
func (p *plan) fixup(_ context.Context, x *exchange.Exchange) error {
	switch {
	case x.FileType == exchange.Regular:
		return nil
	case x.FileType == exchange.Directory: // also one that a rule in it sends to a member
		return p.directory(x)
	case x.Forwarded() || p.handled(x) || !p.falls():
		return nil
	case site.PlanOf(x).Reachable(x):
		return p.fall(x)
	}
	return nil
}

// handled reports whether something names the exchange's handler: SetHandler, AddHandler, what mapped it.
func (p *plan) handled(x *exchange.Exchange) bool {
	return x.Handler != "" || site.PlanOf(x).Handles()
}

func (p *plan) directory(x *exchange.Exchange) error {
	if x.PathInfo != "" || !site.PlanOf(x).Reachable(x) {
		return nil
	}
	if !p.handled(x) {
		x.Handler = directoryHandler
	}
	if !p.loaded.dir {
		return nil
	}
	return p.document(x)
}

// falls reports whether FallbackResource names a path.
func (p *plan) falls() bool {
	to := p.fallback.Or("")
	return p.loaded.dir && to != "" && !strings.EqualFold(to, "disabled")
}

// fall is FallbackResource: what is not there is served by one path, unless that is not there either
// (httpd: mod_dir.c fixup_dflt).
func (p *plan) fall(x *exchange.Exchange) error {
	y, status := site.HostOf(x).LookUp(x, withQuery(x, p.fallback.Or("")))
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

// list is the handler of a directory that has no index document: no listing is made (httpd: mod_autoindex.c
// handle_autoindex).
func (p *plan) list(_ context.Context, x *exchange.Exchange) error {
	if !p.loaded.index || !x.Req.IsGet() {
		return exchange.Declined
	}
	why := "server-generated directory index forbidden by Options directive"
	if site.PlanOf(x).Indexes {
		why = "this server makes no directory index"
	}
	x.Log("autoindex", exchange.Error, nil, x.Arena.Join("AH01276: Cannot serve directory ", x.Filename, ": No matching DirectoryIndex (",
		strings.Join(p.indexes(), ","), ") found, and ", why))
	return exchange.Status(http.StatusForbidden)
}
