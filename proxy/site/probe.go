package site

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"balancerd/proxy/exchange"
)

// Probe is the status that a path, with a query perhaps, would be answered with before its handler
// runs: 200 when nothing objects. A relative one starts at the exchange's own
// (httpd: request.c ap_sub_req_lookup_uri).
func (h *Host) Probe(x *exchange.Exchange, target string) int {
	p, query, has := strings.Cut(target, "?")
	if !strings.HasPrefix(p, "/") {
		p = parent(x.Req.Path) + p
	}
	y := x.Sub(p)
	y.Req.Query, y.Req.HasQuery = query, has
	return h.probe(x, y)
}

// ProbeFile is the same for a file, relative to the exchange's own, and the file's full name. What
// <Location> says does not count (httpd: request.c ap_sub_req_lookup_file).
func (h *Host) ProbeFile(x *exchange.Exchange, name string) (file string, status int) {
	if !filepath.IsLocal(name) && !filepath.IsAbs(name) && name != "" { // it climbs out of the exchange's folder
		x.Log("core", exchange.Error, nil, "AH10244: invalid URI path ("+name+")")
		return name, 400
	}
	file = name
	if !filepath.IsAbs(name) {
		file = parent(x.Filename) + name
	}
	if !filepath.IsAbs(file) { // what the exchange is mapped to is no file
		return file, 404
	}
	y := x.Sub(parent(x.Req.Path) + path.Base(name))
	y.Filename = filepath.Clean(file)
	return y.Filename, h.probe(x, y)
}

// parent is a path up to its last slash.
func parent(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }

// probe walks a copy of x through the phases before the handler. Access is not asked for again where
// the very sections hold that x has passed.
func (h *Host) probe(x, y *exchange.Exchange) int {
	if y.Depth > h.site.recursionLimit() {
		return 500
	}
	defer y.Finish()
	before := planOf(x)
	h.site.enter(y, h)
	if err := h.lookUp(context.Background(), y, before); err != nil {
		return probed(err)
	}
	return 200
}

func (h *Host) lookUp(ctx context.Context, y *exchange.Exchange, before *Plan) error {
	s := h.site
	file := y.Filename != ""
	if !file {
		mapped, err := s.normalizePath(ctx, y, h)
		if err != nil {
			return err
		}
		if err := s.translate(ctx, y, h, mapped); err != nil {
			return err
		}
	}
	p, err := s.finalPlan(y, h, file)
	if err != nil {
		return err
	}
	if p == before {
		return steps(ctx, y, p.Fixup)
	}
	for _, phase := range [...][]exchange.Step{p.Parse, p.Access, p.Fixup} {
		if err := steps(ctx, y, phase); err != nil {
			return err
		}
	}
	return nil
}

// probed is the status of what ended a lookup. An internal redirect is as good as an answer.
func probed(err error) int {
	if _, ok := err.(*exchange.Redirect); ok {
		return 200
	}
	return statusOf(err)
}
