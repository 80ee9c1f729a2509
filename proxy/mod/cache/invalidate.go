package cache

import (
	"context"
	"strings"

	"balancerd/proxy/exchange"
)

// invalidate is the filter CACHE_INVALIDATE: a PUT, POST or DELETE that went well has changed what is kept (RFC 9111
// section 4.4; httpd: mod_cache.c cache_invalidate_filter).
func (l *lookup) invalidate(_ context.Context, x *exchange.Exchange) error {
	if x.Res.Status > 299 {
		x.Log("cache", exchange.Debug, nil, x.Arena.Join("AH02466: cache: response status to '", x.Req.Method, "' method is ", x.Arena.Int(int64(x.Res.Status)), " (>299), not invalidating cached entity: ", x.Req.Path))
		return nil
	}
	l.forget(l.key)
	for _, name := range []string{"Location", "Content-Location"} {
		if key, ok := l.keyOf(x, x.Res.Header.Get(name)); ok {
			l.forget(key)
		}
	}
	reason := x.Arena.Join("cache invalidated by ", x.Req.Method)
	x.Env.Set("cache-invalidate", reason) // the head is past the fields that tell of it
	x.Env.Set("cache-status", reason)
	return nil
}

func (l *lookup) forget(key string) {
	for _, p := range l.providers {
		if p.store != nil {
			p.store.Invalidate(key)
		}
	}
}

// keyOf is the key of a URL on the host that the request line names: of others a member has nothing to say.
func (l *lookup) keyOf(x *exchange.Exchange, url string) (string, bool) {
	scheme, rest := exchange.CutScheme(url)
	if scheme == "" {
		return "", false
	}
	host, path, _ := strings.Cut(strings.TrimPrefix(rest, "//"), "/")
	name, _, _ := strings.Cut(host, ":")
	if !exchange.EqualFold(name, x.Req.Host) {
		return "", false
	}
	path, query, _ := strings.Cut("/"+path, "?")
	place := l.place(x)
	return place.Key(path, query), true
}
