package filter

import (
	"context"
	"slices"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// do has the filter that is chosen for the answer do its work (httpd: mod_filter.c filter_harness).
func (f *smart) do(ctx context.Context, x *exchange.Exchange) error {
	if x.Res.Status != 200 && !x.Env.Has("filter-errordocs") {
		return nil
	}
	if f.trace {
		x.Log("filter", exchange.Debug, nil, x.Arena.Join("AH01375: ", f.name))
	}
	if f.protocol.stops(x) {
		return nil
	}
	for i := range f.providers {
		p := &f.providers[i]
		if !p.holds(x) || p.protocol.stops(x) {
			continue
		}
		p.protocol.apply(x)
		if x.Withheld != "" && !p.protocol.noRanges {
			x.Req.Header.Set("Range", x.Withheld)
			x.Withheld = ""
		}
		if chosen, ok := site.OutputNamed(x, p.filter); ok {
			return chosen.Do(ctx, x)
		}
		return nil
	}
	return nil
}

// holds reports whether a choice is for this answer (httpd: mod_filter.c filter_lookup).
func (p *provider) holds(x *exchange.Exchange) bool {
	if p.cond == nil {
		t := site.ContentType(x)
		if i := strings.IndexAny(t, "; \t"); i >= 0 {
			t = t[:i]
		}
		return t != "" && slices.Contains(p.types, t)
	}
	ok, err := p.cond.Match(x)
	if err != nil {
		x.Log("filter", exchange.Error, nil, x.Arena.Join("AH01379: Error evaluating filter dispatch condition: ", err.Error()))
		return false
	}
	return ok
}
