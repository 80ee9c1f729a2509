package compress

import (
	"context"
	"io"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// packing is a filter that packs answers.
type packing struct {
	module, coding string // "deflate", "gzip"
	off            string // the variable that says no
	tag            tagRule
	of             *pool
	ofHeads        *notes // what is left behind a head alone; nil: nothing
	start          func(x *exchange.Exchange, k *kept, out io.Writer) exchange.Rewriter
	unfit          func(x *exchange.Exchange) bool // before anything else is looked at
	forced         func(x *exchange.Exchange) bool // whoever asks gets it
	broken         func(x *exchange.Exchange) bool // the coder can't be had: the answer goes as it is
}

// do packs the answer if it may be, and edits its head (httpd: mod_deflate.c deflate_out_filter, mod_brotli.c
// compress_filter: what is looked at first decides what a head says).
func (p *packing) do(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if p.unfit(x) || r.Status == 204 || x.Env.Has(p.off) || r.Header.Has("Content-Range") {
		return nil
	}
	already := encoding(r)
	if coded(already) {
		return nil
	}
	r.Header.Merge("Vary", "Accept-Encoding")
	if !p.forced(x) && !p.accepted(x) || p.broken(x) {
		return nil
	}
	packs := r.Status != 304 && !x.HeadOnly
	var k *kept
	if packs {
		if k = p.of.get(); k == nil {
			return nil
		}
	}
	if already == "" || exchange.EqualFold(already, "identity") {
		r.Header.Set("Content-Encoding", p.coding)
	} else {
		r.Header.Merge("Content-Encoding", p.coding)
	}
	r.ChangesLength()
	p.tag.apply(x, p.coding)
	switch {
	case packs:
		if r.Body == nil { // nothing takes a byte, too
			r.Text("")
			r.Length = -1
		}
		r.Streamed = nil
		r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter { return p.start(x, k, out) })
	case r.Status != 304 && p.ofHeads != nil:
		p.ofHeads.leave(x, 0, 1)
	}
	return nil
}

func (p *packing) accepted(x *exchange.Exchange) bool {
	list, ok := x.Req.Header.Lookup("Accept-Encoding")
	return ok && acceptable(list, p.coding)
}

// encoding is what an answer's fields say of its coding.
func encoding(r *exchange.Response) string {
	own, always := r.Header.Get("Content-Encoding"), r.Always.Get("Content-Encoding")
	if own == "" || always == "" {
		return own + always
	}
	return own + "," + always
}

// suffixes of entity tags by coding.
var suffixes = map[string]string{"gzip": `-gzip"`, "gunzip": `-gunzip"`, "br": `-br"`}

// apply makes an answer's tag one of its own. A tag without its quotes, or with nothing in them, stays.
func (rule tagRule) apply(x *exchange.Exchange, coding string) {
	h := &x.Res.Header
	switch tag := h.Get("ETag"); {
	case rule == removeTag:
		h.Del("ETag")
	case rule == addSuffix && len(tag) > 2 && tag[len(tag)-1] == '"':
		h.Set("ETag", x.Arena.Join(tag[:len(tag)-1], suffixes[coding]))
	}
}

// smallest is up to which length gzip's head and end and the fields that tell of it would be more than what is saved.
const smallest = 10 + 8 + 50

// small reports whether the whole answer is known to be that short, and a head alone, which is all that is known of
// a member's, counts as nothing.
func small(x *exchange.Exchange) bool {
	r := &x.Res
	switch {
	case r.Body == nil, r.Proxied && x.HeadOnly:
		return true
	case r.Length >= 0:
		return r.Length <= smallest
	}
	c, ok := r.Body.(exchange.Complete)
	if !ok || len(r.Body.Buffered()) > smallest {
		return false
	}
	done, err := c.Complete()
	return done && err == nil && len(r.Body.Buffered()) <= smallest && !r.ByPieces()
}

// otherThanHTML reports whether the answer is no text/html, for clients that take nothing else packed.
func otherThanHTML(x *exchange.Exchange) bool {
	if x.Env.Value("gzip-only-text/html") != "1" {
		return false
	}
	t := site.ContentType(x)
	return len(t) < len("text/html") || t[:len("text/html")] != "text/html"
}

func never(*exchange.Exchange) bool { return false }
