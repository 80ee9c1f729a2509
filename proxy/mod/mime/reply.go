package mime

import (
	"context"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// reply completes a response's head, a member's too: the type that it lacks, its languages and encodings by the name
// (httpd: mod_mime.c find_ct, http_filters.c ap_http_header_filter).
func (p *plan) reply(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if !r.HasDocument() {
		return nil
	}
	if !r.Typed && r.Header.Index("Content-Type") < 0 {
		if t := site.PlanOf(x).MediaType(x); t != "" { // a rule's, ForceType's, or by the name
			r.Header.Add("Content-Type", t)
		}
	}
	if p.extensions.marks {
		p.mark(x)
	}
	return nil
}

// mark sets the encodings and languages that follow from the name.
func (p *plan) mark(x *exchange.Exchange) {
	d := p.extensions.of(p.named(x))
	h := &x.Res.Header
	if d.encoding != "" {
		h.Set("Content-Encoding", d.encoding)
	}
	if d.languages != "" {
		h.Set("Content-Language", languages(d.languages, h.Joined("Content-Language")))
	}
}

// named is the text whose extensions count: nothing of a query that nocanon left in a member's URL.
func (p *plan) named(x *exchange.Exchange) string {
	name := x.Filename
	if strings.HasPrefix(name, "proxy:") {
		name, _, _ = strings.Cut(name, "?")
	}
	if p.extensions.pathInfo {
		name += x.PathInfo
	}
	return name
}

// languages is ours, and those of the response that ours does not have.
func languages(ours, theirs string) string {
	for item := range exchange.ListItems(theirs) {
		if item != "" && !exchange.Lists(ours, item) {
			ours += "," + item
		}
	}
	return ours
}
