package static

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/precondition"
)

// plan is what the sections in force say of files: compiled once a chain of scopes.
type plan struct {
	dir    dirSettings
	levels []level
	links  func(i int) linkRule // nil: every symbolic link is followed
	ranges exchange.Ranges      // how a Range field is heeded
}

func newPlan(chain []*directive.Scope, boundary string) *plan {
	p := &plan{dir: dirs.Merged(chain...), levels: levels(chain)}
	p.ranges = p.dir.rangesBy(boundary)
	p.links = linkRules(p.levels)
	return p
}

// serve is httpd's default handler (httpd: core.c default_handler).
func (p *plan) serve(ctx context.Context, x *exchange.Exchange) error {
	if scriptHandler(x.Handler) {
		x.Log("core", exchange.Error, nil, x.Arena.Join("client denied by server configuration: ", x.Filename, " (this server runs no ", x.Handler, ")"))
		return exchange.Status(403)
	}
	at, err := p.find(x)
	if err != nil {
		return refuse(x, err)
	}
	if err := discard(x); err != nil {
		return err
	}
	switch {
	case x.Req.Method == "OPTIONS":
		return p.options(x, &at)
	case !x.Req.IsGet() && x.Req.Method != "POST":
		return p.otherMethod(x)
	}
	if err := p.present(x, &at); err != nil {
		return err
	}
	return p.send(x, &at)
}

// find looks at the disk, under the rules for symbolic links of each directory on the way.
func (p *plan) find(x *exchange.Exchange) (place, error) {
	if !strings.HasPrefix(x.Filename, "/") {
		return place{name: x.Filename}, nil
	}
	at, err := find(x.Filename, x.Req.Path, p.links)
	if err == nil && at.info == "" && (at.stat == nil || !at.stat.IsDir()) {
		at.info = x.PathInfo
	}
	return at, err
}

// scriptHandler reports whether a name stands for something that would run the file in httpd: its text
// must then not be given away.
func scriptHandler(name string) bool {
	switch {
	case name == "", name == "default-handler":
		return false
	case strings.HasSuffix(name, "-script"), strings.Contains(name, "httpd-php"), strings.HasPrefix(name, "php"):
		return true
	}
	return false
}

// allowed is the Allow field of files.
func allowed(x *exchange.Exchange) string {
	if x.Server != nil && x.Server.Trace == exchange.TraceOff {
		return "HEAD,GET,POST,OPTIONS"
	}
	return "HEAD,GET,POST,OPTIONS,TRACE"
}

func (p *plan) options(x *exchange.Exchange, at *place) error {
	x.Res.Status, x.Res.Local = http.StatusOK, true
	x.Res.Header.Set("Allow", allowed(x))
	switch {
	case at.stat == nil:
	case at.stat.IsDir():
		x.Res.Header.Set("Content-Type", cmp.Or(x.Type, "httpd/unix-directory"))
	default:
		p.describe(x)
	}
	x.Res.Bytes(nil)
	return nil
}

func (p *plan) otherMethod(x *exchange.Exchange) error {
	x.Res.Header.Set("Allow", allowed(x))
	if err := x.UnknownMethod(); err != nil {
		return err
	}
	return exchange.Status(http.StatusMethodNotAllowed)
}

// present refuses what is not a file to be read.
func (p *plan) present(x *exchange.Exchange, at *place) error {
	switch {
	case x.FileType == exchange.Regular && !strings.HasPrefix(at.name, "/"): // a rule has put another path in its place, and who takes it there was not asked
		x.Log("core", exchange.Error, syscall.ENOENT, x.Arena.Join("AH00132: file permissions deny server access: ", at.name))
		return exchange.Status(http.StatusForbidden)
	case at.stat == nil:
		x.Log("core", exchange.Info, nil, x.Arena.Join("AH00128: File does not exist: ", at.name, at.info))
	case at.stat.IsDir():
		x.Log("core", exchange.Info, nil, x.Arena.Join("AH00129: Attempt to serve directory: ", at.name))
	case at.info != "" && p.dir.pathInfo.Or(pathInfoDefault) != pathInfoAccept:
		x.Log("core", exchange.Info, nil, x.Arena.Join("AH00130: File does not exist: ", at.name, at.info))
	default:
		return nil
	}
	return exchange.Status(http.StatusNotFound)
}

func (p *plan) send(x *exchange.Exchange, at *place) error {
	f, fi, err := p.open(at)
	if err != nil {
		x.Log("core", exchange.Error, err, x.Arena.Join("AH00132: file permissions deny server access: ", at.name))
		return exchange.Status(http.StatusForbidden)
	}
	if err := p.respond(x, at, f, fi); err != nil {
		f.Close()
		return err
	}
	return nil
}

// open takes care that the name still leads to a plain file and, where links are not followed, is none.
func (p *plan) open(at *place) (*os.File, os.FileInfo, error) {
	flags := os.O_RDONLY | syscall.O_NONBLOCK // a fifo must not hold us up
	if p.links != nil && !isLink(at.name) {
		flags |= syscall.O_NOFOLLOW
	}
	f, err := os.OpenFile(at.name, flags, 0)
	if err != nil {
		return nil, nil, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = syscall.EACCES
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, fi, nil
}

func isLink(name string) bool {
	fi, err := os.Lstat(name)
	return err == nil && fi.Mode()&os.ModeSymlink != 0
}

// document is the facts of a file that its head tells.
type document struct {
	modified time.Time // whole seconds
	tag      string    // ETag; "" for none
	size     int64
}

// respond makes the head and the body. The file belongs to the body unless an error is returned.
func (p *plan) respond(x *exchange.Exchange, at *place, f *os.File, fi os.FileInfo) error {
	d := document{modified: fi.ModTime().Truncate(time.Second), size: fi.Size()}
	if t := now(x); d.modified.After(t) { // a time to come is no time of a change (httpd: ap_rationalize_mtime)
		d.modified = t.Truncate(time.Second)
	}
	var err error
	if d.tag, err = etag(p.dir.etag.value(), f, fi, now(x)); err != nil {
		x.Log("core", exchange.Error, err, "AH10254: Make etag: could not read")
	}
	r := &x.Res
	r.Status, r.Local = http.StatusOK, true
	r.Header.Set("Last-Modified", d.modified.UTC().Format(http.TimeFormat))
	if d.tag != "" {
		r.Header.Set("ETag", d.tag)
	}
	r.Header.Set("Accept-Ranges", p.dir.acceptRanges())
	if x.Prev == nil || x.Prev.Error == 0 { // an ErrorDocument is sent whatever the request's conditions say
		if status := precondition.Judge(x, &precondition.Document{Modified: d.modified, Tag: d.tag, Asked: now(x)}); status != 0 {
			return p.unmet(x, at, f, status)
		}
	}
	p.describe(x)
	if p.dir.md5.Or(false) {
		r.Header.Set("Content-MD5", contentMD5(f, d.size))
	}
	return p.body(x, f, &d)
}

// unmet is the response to a condition that says no: no body, and no error page either.
func (p *plan) unmet(x *exchange.Exchange, at *place, f *os.File, status int) error {
	f.Close()
	x.Res.Status = status
	if status == http.StatusPreconditionFailed {
		p.describe(x)
		x.Res.Bytes(nil)
	}
	return nil
}

// body is the whole file.
func (p *plan) body(x *exchange.Exchange, f *os.File, d *document) error {
	x.Res.Body, x.Res.Length = exchange.NewSections(f, f, 0, d.size), d.size
	x.Res.Ranges = &p.ranges
	return nil
}
