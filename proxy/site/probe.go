package site

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"balancerd/proxy/exchange"
)

// Probe is the status that a path, with a query perhaps, would be answered with before its handler
// runs: 200 when nothing objects. A relative one starts at the exchange's own.
func (h *Host) Probe(x *exchange.Exchange, target string) int {
	y, status := h.LookUp(x, target)
	y.Finish()
	return status
}

// LookUp is what a GET of a path would come to before its handler runs, and the status so far: 200 when
// nothing objects. The one who asks gives it back by Finish, or has the exchange take it over. A relative
// path starts at the exchange's own (httpd: request.c ap_sub_req_lookup_uri).
func (h *Host) LookUp(x *exchange.Exchange, target string) (y *exchange.Exchange, status int) {
	p, query, has := strings.Cut(target, "?")
	if !strings.HasPrefix(p, "/") {
		p = escapePath(parent(x.Req.Path)) + p
	}
	y = x.Sub(oneSlash(p))
	y.Req.Query, y.Req.HasQuery = query, has
	return y, h.probe(x, y)
}

// escapePath encodes a decoded path so that decoding it again gives it back.
func escapePath(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	return strings.ReplaceAll(path, "%", "%25")
}

// ProbeFile is Probe for a file, relative to the exchange's own, and the file's full name.
func (h *Host) ProbeFile(x *exchange.Exchange, name string) (file string, status int) {
	y, status := h.LookUpFile(x, name)
	defer y.Finish()
	return y.Filename, status
}

// LookUpFile is LookUp for a file, relative to the exchange's own. It has a path if it lies in the same folder, by which
// <Location>s count; else it has none (httpd: request.c ap_sub_req_lookup_file).
func (h *Host) LookUpFile(x *exchange.Exchange, name string) (y *exchange.Exchange, status int) {
	y = x.Sub("")
	y.Filename = name
	if !filepath.IsLocal(name) && !filepath.IsAbs(name) && name != "" { // it climbs out of the exchange's folder
		x.Log("core", exchange.Error, nil, "AH10244: invalid URI path ("+name+")")
		return y, 400
	}
	if !filepath.IsAbs(name) {
		y.Filename = parent(x.Filename) + name
	}
	if !filepath.IsAbs(y.Filename) { // what the exchange is mapped to is no file
		return y, 404
	}
	place(x, y)
	return y, h.probe(x, y)
}

// place gives a lookup's file its clean name, and its path.
func place(x, y *exchange.Exchange) {
	slash := strings.HasSuffix(y.Filename, "/")
	if y.Filename = filepath.Clean(y.Filename); slash && y.Filename != "/" {
		y.Filename += "/"
	}
	if folder := parent(x.Filename); x.Req.Path != "" && parent(y.Filename) == folder && len(y.Filename) > len(folder) {
		p, _ := normalize(&y.Arena, parent(x.Req.Path)+y.Filename[len(folder):], flagsOf(x.Server))
		y.Req.Path, y.Req.RawPath, y.Req.Target = p, p, p
	}
}

// File is a file by its full name, as the body of a lookup's answer, if what holds for it does not forbid that: its
// Res is filled with status 200. The caller ends the lookup by Finish, whatever the status (httpd: request.c
// ap_sub_req_lookup_file, ap_run_sub_req).
func (h *Host) File(ctx context.Context, x *exchange.Exchange, name string) (y *exchange.Exchange, status int) {
	y = x.Sub("")
	y.Filename = name
	place(x, y)
	for _, f := range [...]string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		y.Req.Header.Del(f) // of the answer that the file is sent in
	}
	if status = h.probe(x, y); status != 200 {
		return y, status
	}
	p := planOf(y)
	if y.FileType != exchange.Regular || y.PathInfo != "" || p == nil || p.Handler == nil {
		return y, 404
	}
	if err := p.Handler.Serve(ctx, y); err != nil {
		return y, statusOf(err)
	}
	return y, y.Res.Status
}

// parent is a path up to its last slash.
func parent(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// probe walks a copy of x through the phases before the handler. Access is not asked for again where
// the very sections hold that x has passed.
func (h *Host) probe(x, y *exchange.Exchange) int {
	if limit := limitOf(h.site.Settings.LookupLimit); y.Depth > limit {
		x.Log("core", exchange.Error, nil, x.Arena.Join("AH00125: Request exceeded the limit of ", x.Arena.Int(int64(limit)),
			" subrequest nesting levels due to probable configuration error. Use 'LimitInternalRecursion' to increase the limit if necessary. Use 'LogLevel debug' to get a backtrace."))
		return 500
	}
	if h.site.redirectedOften(x) {
		return 500
	}
	before := planOf(x)
	h.site.enter(y, h)
	err := h.lookUp(context.Background(), y, before)
	x.Undecided = x.Undecided || y.Undecided
	var r *exchange.Redirect
	switch {
	case err == nil:
		return 200
	case errors.As(err, &r) && r.Found != nil:
		y.TakeOver(r.Found)
		return 200
	case r != nil:
		return 200 // an internal redirect is as good as an answer
	}
	return statusOf(err)
}

func (h *Host) lookUp(ctx context.Context, y *exchange.Exchange, before *Plan) error {
	s := h.site
	if err := s.find(ctx, y, h); err != nil {
		return err
	}
	p, err := s.finalPlan(y, h)
	if err != nil {
		return err
	}
	for _, phase := range [...]Phase{Access, Types, Fixup} {
		if phase == Access && p == before && !p.Anew {
			continue
		}
		if err := p.run(ctx, y, phase); err != nil {
			return err
		}
	}
	return nil
}

// find maps a lookup's path, or looks at its file when it has one already.
func (s *Site) find(ctx context.Context, y *exchange.Exchange, h *Host) error {
	if y.Filename != "" {
		return s.store(ctx, y, h)
	}
	if err := s.normalizePath(ctx, y, h); err != nil {
		return err
	}
	return s.translate(ctx, y, h)
}
