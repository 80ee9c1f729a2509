package files

import (
	"context"
	"net/http"
	"strings"

	"balancerd/proxy/exchange"
)

// reply completes an answer's head, a member's too: the type that it lacks, its languages and
// encodings by the name, and the default charset (httpd: http_filters.c ap_http_header_filter).
func (p *plan) reply(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if r.ErrorPage || r.Status == http.StatusNotModified || r.Status == http.StatusNoContent || r.Status < 200 {
		return nil
	}
	i := r.Header.Index("Content-Type")
	if i < 0 || p.mime.marks {
		p.mark(x, i)
	}
	if p.dir.charset.Or("") != "" {
		p.addCharset(x)
	}
	return nil
}

// mark sets what follows from the name. typed is the place of Content-Type, below 0 for none.
func (p *plan) mark(x *exchange.Exchange, typed int) {
	k := p.mime.of(p.named(x))
	h := &x.Res.Header
	if t := or(p.dir.forced(), k.mediaType); typed < 0 && t != "" && !x.Res.Typed {
		h.Add("Content-Type", t)
	}
	if k.encoding != "" {
		h.Set("Content-Encoding", k.encoding)
	}
	if k.languages != "" {
		h.Set("Content-Language", languages(k.languages, h.Joined("Content-Language")))
	}
}

// named is the text whose extensions count: nothing of a query that nocanon left in a member's URL.
func (p *plan) named(x *exchange.Exchange) string {
	name := x.Filename
	if strings.HasPrefix(name, "proxy:") {
		name, _, _ = strings.Cut(name, "?")
	}
	if p.mime.pathInfo {
		name += x.PathInfo
	}
	return name
}

// languages is ours, and those of the answer that ours does not have.
func languages(ours, theirs string) string {
	for item := range listItems(theirs) {
		if item != "" && !hasLanguage(ours, item) {
			ours += "," + item
		}
	}
	return ours
}

func hasLanguage(list, tag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if exchange.EqualFold(item, tag) {
			return true
		}
	}
	return false
}

func (p *plan) addCharset(x *exchange.Exchange) {
	for _, h := range [...]*exchange.Header{&x.Res.Always, &x.Res.Header} {
		if i := h.Index("Content-Type"); i >= 0 {
			if wantsCharset(h.F[i].Value) {
				h.F[i].Value = x.Arena.Join(h.F[i].Value, "; charset=", p.dir.charset.Or(""))
			}
			return
		}
	}
}
