package cache

import (
	"context"
	"time"

	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
	"balancerd/proxy/precondition"
)

// lockAge is how long a lock holds (httpd: mod_cache.h DEFAULT_CACHE_MAXAGE).
const lockAge = 5 * time.Second

var warnings = map[int]string{110: "110 Response is stale", 113: "113 Heuristic expiration"}

// give answers with a kept answer (httpd: mod_cache.c cache_quick_handler). One whose file is gone is none: the
// member is asked.
func (l *lookup) give(_ context.Context, x *exchange.Exchange, s *kept.Store, e *kept.Entry, warn int) error {
	r := &x.Res
	body, err := bodyOf(x, s, e, !x.HeadOnly || !l.early) // filters behind a late handler look at that of a head, too
	if err != nil {
		x.Log("cache_disk", exchange.Error, err, x.Arena.Join("AH00708: Cannot open data file of ", l.key))
		return nil
	}
	l.unlock()
	fill(&r.Header, &e.Header)
	r.Header.Set("Age", x.Arena.Int(e.Age(x.Start)))
	if warn != 0 {
		addWarning(&r.Header, warn)
	}
	l.tell(x, &r.Header, l.own(), hit, "cache hit")
	if l.early { // nobody knows of a member yet
		r.Header.Del("Date")
		r.Header.Del("Server")
	}
	return l.answer(x, e, body)
}

// own are the settings of sections that count for a lookup: the server's, of a quick one.
func (l *lookup) own() *sectionSettings {
	if l.early {
		return &l.host
	}
	return &l.section
}

func addWarning(h *exchange.Header, code int) {
	h.Merge("Warning", warnings[code])
}

// fill lays kept fields over those that are there.
func fill(to, from *exchange.Header) {
	for i := range from.F {
		to.Del(from.F[i].Name)
	}
	for i := range from.F {
		to.Add(from.F[i].Name, from.F[i].Value)
	}
}

// bodyOf is the entry's body; nil for one that has none, and where it is not wanted.
func bodyOf(x *exchange.Exchange, s *kept.Store, e *kept.Entry, wanted bool) (exchange.Source, error) {
	if e.HeadOnly || !wanted || e.Length == 0 {
		return nil, nil
	}
	if text, ok := e.Text(); ok && !x.Req.Header.Has("Range") {
		return exchange.NewBytes(text), nil
	}
	if e.Waits() {
		x.Block()
	}
	return s.Body(e)
}

// answer makes the entry the answer, as far as the request's conditions want it. The head is there.
func (l *lookup) answer(x *exchange.Exchange, e *kept.Entry, body exchange.Source) error {
	r := &x.Res
	d := precondition.Of(&r.Header, x.Start)
	status := precondition.Judge(x, &d)
	if status != 0 {
		if body != nil {
			body.Close()
		}
		if status != 304 {
			return exchange.Status(status)
		}
		r.Status, r.Local, r.Cached = status, true, true
		return exchange.AnswerMade
	}
	r.Status, r.Reason, r.Local, r.Cached = e.Status, "", true, true
	r.Body, r.Length = body, e.Length
	r.Ranges = &exchange.Ranges{Most: 200, Overlaps: 20, Reversals: 20, Boundary: l.boundary}
	return exchange.AnswerMade
}

// marked is the filter CACHE: what was kept here goes on from here; what is to be kept is kept as it is here (httpd:
// mod_cache.c cache_filter, cache_replace_filter).
func (c *settings) marked(ctx context.Context, x *exchange.Exchange) error {
	if c.server.quick.Or(true) {
		x.Log("cache", exchange.Warn, nil, x.Arena.Join("AH00776: cache: CACHE filter was added in quick handler mode and will be ignored: ", x.Req.Target))
		return nil
	}
	if x.Res.Cached {
		x.Res.Cached = false
		return nil
	}
	l, _ := x.State[exchange.StateCache].(*lookup)
	if l == nil || l.placed {
		x.Log("cache", exchange.Debug, nil, x.Arena.Join("AH00777: cache: CACHE filter was added twice, or was added where the cache has been bypassed and will be ignored: ", x.Req.Target))
		return nil
	}
	err := l.save(ctx, x)
	l.placed = true
	return err
}
