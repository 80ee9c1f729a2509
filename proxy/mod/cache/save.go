package cache

import (
	"context"
	"net/http"
	"strings"
	"time"

	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// save is the filter CACHE_SAVE: the answer is kept if it may be, on its way (httpd: mod_cache.c cache_save_filter).
func (l *lookup) save(ctx context.Context, x *exchange.Exchange) error {
	if l.over || l.placed || x.Res.IsSwitch() || x.Res.Status < 200 {
		return nil
	}
	d := &l.section
	if x.Res.Status >= 500 && d.stale.Or(true) {
		l.keeps = true
		if l.entry != nil && l.entry.Outlives(x.Res.ErrorPage) {
			return l.outlive(x, d)
		}
	}
	if x.Res.ErrorPage { // in httpd, pages pass by (httpd: http_request.c ap_die_r)
		l.end()
		return nil
	}
	c := newCandidate(l, x, d)
	reason := c.refusal()
	if x.Res.Status == http.StatusNotModified {
		for _, name := range kept.Describing {
			x.Res.Header.Del(name)
		}
		if reason != "" && l.entry != nil {
			return l.askAnew(x, d, reason)
		}
	}
	if reason != "" {
		l.refuse(x, d, reason)
		return nil
	}
	if x.Res.Status == http.StatusNotModified {
		return l.refresh(ctx, x, c)
	}
	if l.entry != nil { // it is replaced
		l.store.Remove(l.entry)
		l.replaced(x)
		l.entry = nil
	}
	l.record(x, c)
	return nil
}

// refuse: the answer is not kept.
func (l *lookup) refuse(x *exchange.Exchange, d *sectionSettings, reason string) {
	l.tell(x, &x.Res.Header, d, miss, reason)
	l.end()
}

// end: nothing of this answer is kept any more, and somebody else may try.
func (l *lookup) end() {
	l.over = true
	l.unlock()
}

// record has the first store that takes it keep the answer. The client that asks for a range of it has the whole, as from
// httpd, whose stores do not pass a body and its end on at once.
func (l *lookup) record(x *exchange.Exchange, c *candidate) {
	e := l.newEntry(x, c)
	var to *kept.Store
	most, least := int64(0), int64(0)
	for _, p := range l.providers {
		if p.store == nil || x.Res.Status == http.StatusPartialContent {
			continue
		}
		if lo, hi, ok := c.sizes(p.name, e); ok {
			to, most, least = p.store, hi, lo
			c.d.limit(p.name, e)
			break
		}
	}
	l.keeps = to != nil
	if to == nil {
		l.refuse(x, c.d, "cache miss: cache unwilling to store response")
		return
	}
	l.tell(x, &x.Res.Header, c.d, miss, "cache miss: attempting entity save")
	x.Res.Ranges = exchange.NoRanges
	r := to.Record(e, most)
	if x.HeadOnly || x.Res.Body == nil || e.Length == 0 {
		r.Commit(least)
		l.end()
		return
	}
	l.over = true
	if held := x.Res.Body.Buffered(); int64(len(held)) == e.Length { // kept before the client can ask again
		r.Write(held)
		r.Commit(least)
		l.unlock()
		return
	}
	x.Res.Body = newTee(x, r, least, l)
}

// sizes are the bounds of a body that a store of that type takes; ok is false when it does not take this one.
func (c *candidate) sizes(name string, e *kept.Entry) (least, most int64, ok bool) {
	n := e.Length
	if name == "socache" {
		most = c.d.socacheMax.Or(102400) - c.headSize(e)
		return 0, most, n >= 0 && n < most
	}
	least, most = c.d.minFile.Or(1), c.d.maxFile.Or(1_000_000)
	return least, most, n <= most && (n < 0 || n >= least)
}

// headSize is how long a head is in httpd's form, which has the request's fields as well (httpd: mod_cache_socache.c
// create_entity).
func (c *candidate) headSize(e *kept.Entry) int64 {
	const bare = 96 // numbers and times
	n := bare + len(e.Key)
	for _, h := range [...]*exchange.Header{&e.Header, &c.x.Req.Header} {
		for i := range h.F {
			n += len(h.F[i].Name) + len(": ") + len(h.F[i].Value) + len("\r\n")
		}
		n += len("\r\n")
	}
	return int64(n)
}

// newEntry is the answer as it is kept.
func (l *lookup) newEntry(x *exchange.Exchange, c *candidate) *kept.Entry {
	r := &x.Res
	now := time.Now()
	e := &kept.Entry{Key: strings.Clone(l.key), Status: r.Status, HeadOnly: x.HeadOnly, Length: lengthOf(x), Control: c.control, Requested: x.Start, Received: now}
	e.Control.Fields = nil
	var all exchange.Header
	all.CopyFrom(&r.Header)
	fill(&all, &r.Always)
	if r.Type != "" && !all.Has("Content-Type") {
		all.Add("Content-Type", r.Type)
	}
	var vary []kept.Field
	for _, v := range all.F {
		if v.Is("Vary") {
			vary = append(vary, kept.Vary(v.Value, &x.Req.Header)...)
		}
	}
	e.Varied = vary
	all.Filter(func(f *wire.Field) bool { return l.keepsField(f, c.control.Fields) })
	e.Header.CloneFrom(&all)
	if t, err := http.ParseTime(field(x, "Date")); err == nil {
		e.Date = t
	} else {
		e.Date = now
	}
	lives := c.d.lifetimes()
	e.Expires = lives.Expiry(&c.control, e.Date, c.expires, c.modified)
	return e
}

// lengthOf is the body's length, -1 for unknown. All of it may be at hand already, or nothing of it is to come.
func lengthOf(x *exchange.Exchange) int64 {
	r := &x.Res
	if r.Length >= 0 || r.Body == nil {
		return max(r.Length, 0)
	}
	if c, ok := r.Body.(exchange.Complete); ok {
		if done, err := c.Complete(); done && err == nil {
			return int64(len(r.Body.Buffered()))
		}
	}
	return -1
}

// keepsField reports whether a field is kept: it belongs to no connection, and nobody forbids it (RFC 9111 section
// 3.1; httpd: cache_util.c ap_cache_cacheable_headers).
func (c *settings) keepsField(f *wire.Field, named []string) bool {
	switch strings.ToLower(f.Name) {
	case "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade", "content-length":
		return false
	}
	for _, list := range [...][]string{c.ignored, named} {
		for _, name := range list {
			if f.Is(name) {
				return false
			}
		}
	}
	return true
}

// outlive gives the kept answer in the place of a failure.
func (l *lookup) outlive(x *exchange.Exchange, d *sectionSettings) error {
	e, status, page := l.entry, x.Res.Status, x.Res.ErrorPage
	body, err := bodyOf(x, l.store, e, !x.HeadOnly)
	if err != nil {
		return nil
	}
	l.end()
	l.replaced(x)
	proxied := x.Res.Proxied
	x.Res.Clear()
	if page {
		x.Res.Always.Reset()
	}
	x.Res.Header.CopyFrom(&e.Header)
	x.Res.Always.Merge("Warning", "111 Revalidation failed")
	l.tell(x, &x.Res.Header, d, hit, x.Arena.Join("cache hit: ", x.Arena.Int(int64(status)), " status; stale content returned"))
	x.Res.Status, x.Res.Proxied, x.Res.Body, x.Res.Length = e.Status, proxied, body, e.Length
	return nil
}

// remove is the filter CACHE_REMOVE_URL: what is kept and does not hold any more is forgotten, unless something
// took its place (httpd: mod_cache.c cache_remove_url_filter).
func (l *lookup) remove(_ context.Context, x *exchange.Exchange) error {
	if l.entry != nil && !l.keeps {
		l.store.Remove(l.entry)
		l.entry = nil
	}
	l.unlockUnlessRecording(x)
	return nil
}

func (l *lookup) unlockUnlessRecording(x *exchange.Exchange) {
	if _, recording := x.Res.Body.(*tee); !recording {
		l.unlock()
	}
}
