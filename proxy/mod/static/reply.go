package static

import (
	"context"

	"balancerd/proxy/exchange"
)

// addType is ForceType for a response, a member's too, that names no type (httpd: core.c core_override_type).
func (p *plan) addType(_ context.Context, x *exchange.Exchange) error {
	h := &x.Res.Header
	if x.Res.HasDocument() && !x.Res.Typed && h.Index("Content-Type") < 0 {
		h.Add("Content-Type", p.dir.forced())
	}
	return nil
}

// addCharset is AddDefaultCharset (httpd: core.c ap_add_default_charset by http_filters.c).
func (p *plan) addCharset(_ context.Context, x *exchange.Exchange) error {
	if !x.Res.HasDocument() {
		return nil
	}
	for _, h := range [...]*exchange.Header{&x.Res.Always, &x.Res.Header} {
		if i := h.Index("Content-Type"); i >= 0 {
			if wantsCharset(h.F[i].Value) {
				h.F[i].Value = x.Arena.Join(h.F[i].Value, "; charset=", p.dir.charset.Or(""))
			}
			break
		}
	}
	return nil
}

func wantsCharset(mediaType string) bool {
	has := func(part string) bool { return exchange.IndexFold(mediaType, part) >= 0 }
	return !has("charset=") && (has("text/plain") || has("text/html"))
}
