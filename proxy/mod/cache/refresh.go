package cache

import (
	"context"

	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
)

// refresh: the member says that the kept answer still holds. Its head is brought up to date, and it is given (httpd:
// mod_cache.c cache_save_filter; RFC 9111 section 4.3.4).
func (l *lookup) refresh(_ context.Context, x *exchange.Exchange, c *candidate) error {
	e, r := l.entry, &x.Res
	body, err := bodyOf(x, l.store, e, !x.HeadOnly)
	if err != nil {
		return l.askAnew(x, c.d, "the kept answer is gone")
	}
	var told exchange.Header
	told.CopyFrom(&r.Header)
	fill(&told, &r.Always)
	r.Always.Reset()
	merge(&r.Header, &e.Header, &told)
	next := e.Refreshed(l.newEntry(x, c))
	c.d.limit(l.kind, next)
	l.store.Refresh(next)
	l.keeps, l.entry = true, nil
	l.end()
	x.Req.Header.CopyFrom(&l.original)
	l.tell(x, &r.Header, c.d, revalidated, "conditional cache hit: entity refreshed")
	proxied := r.Proxied
	err = l.answer(x, next, body)
	r.Proxied, r.Local, r.Cached = proxied, false, false
	if r.Status == 304 {
		for _, name := range kept.Describing {
			r.Header.Del(name)
		}
	}
	if err == exchange.AnswerMade {
		return nil
	}
	return err
}

// merge makes h the kept fields with those of a newer head over them; Warnings about the former age go.
func merge(h, before, after *exchange.Header) {
	h.Reset()
	for _, f := range before.F {
		if !(f.Is("Warning") && len(f.Value) > 0 && f.Value[0] == '1') {
			h.Add(f.Name, f.Value)
		}
	}
	for _, f := range after.F {
		if !f.Is("Warning") {
			h.Del(f.Name)
		}
	}
	for _, f := range after.F {
		h.Add(f.Name, f.Value)
	}
}

// askAnew: the member's 304 is about something else. The kept answer goes, and the request is served again without
// our conditions.
func (l *lookup) askAnew(x *exchange.Exchange, d *sectionSettings, reason string) error {
	x.Log("cache", exchange.Info, nil, x.Arena.Join("AH02473: cache: ", l.key, " responded with an uncacheable 304, retrying the request ", x.Req.Target, ". Reason: ", reason))
	l.tell(x, &x.Res.Header, d, miss, "conditional cache miss: 304 was uncacheable, entity removed: "+reason)
	l.store.Remove(l.entry)
	l.entry = nil
	l.end()
	for _, name := range ours {
		x.Req.Header.Del(name)
	}
	path := x.Req.RawPath
	if x.Req.HasQuery {
		path += "?" + x.Req.Query
	}
	return &exchange.Redirect{Path: path}
}
