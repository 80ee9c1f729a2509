package cache

import (
	"context"
	"strings"
	"sync/atomic"

	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
	"balancerd/proxy/precondition"
)

// provider is one of the stores that a request may use.
type provider struct {
	name  string
	store *kept.Store
}

// lookup is what was looked up for one exchange (httpd: cache_request_rec).
type lookup struct {
	*settings
	early     bool // CacheQuickHandler On
	providers []provider
	asked     kept.Control
	key       string

	entry    *kept.Entry     // a kept answer that is not given as it is: stale, or not what the client's conditions want
	store    *kept.Store     // where it is
	kind     string          // its type
	original exchange.Header // the request's fields, before they were replaced by conditions of our own

	locked *kept.Store // whose lock for key is held
	placed bool        // the filter CACHE stands for CACHE_SAVE
	over   bool        // nothing is to be kept or removed any more
	keeps  bool        // what was kept under key stays
}

// rootMissing: it was told, once a process.
var rootMissing atomic.Bool

// quick looks for a kept answer before types and fixups.
func (c *settings) quick(ctx context.Context, x *exchange.Exchange) error {
	if x.Depth > 0 || c.host.disable.Or(false) {
		return nil
	}
	path := x.Req.RawPath
	return c.look(ctx, x, true, path, x.Req.Query, c.providers(x, path, nil))
}

// late looks for one in the handler's place.
func (c *settings) late(ctx context.Context, x *exchange.Exchange) error {
	if x.Depth > 0 || c.section.disable.Or(false) {
		return nil
	}
	return c.look(ctx, x, false, x.Req.Path, x.Req.Query, c.providers(x, x.Req.Path, c.section.enable))
}

// providers are those that a path is enabled for, each once.
func (c *settings) providers(x *exchange.Exchange, path string, first []enabled) (list []provider) {
	scheme, host := "", ""
	if t := x.Req.Target; t != "" && t[0] != '/' {
		var rest string
		if scheme, rest = exchange.CutScheme(t); scheme != "" {
			host, _, _ = strings.Cut(strings.TrimPrefix(rest, "//"), "/")
		}
	}
	for i := range c.server.disable {
		if c.server.disable[i].at.covers(scheme, host, path) {
			return nil
		}
	}
	for i := range first {
		list = c.add(list, first[i].provider)
	}
	for i := range c.server.enable {
		if e := &c.server.enable[i]; e.at.covers(scheme, host, path) {
			list = c.add(list, e.provider)
		}
	}
	return list
}

func (c *settings) add(list []provider, name string) []provider {
	h, known := c.stores[name]
	for i := range list {
		known = known && list[i].name != name
	}
	if !known {
		return list
	}
	return append(list, provider{name, h.store()})
}

// look looks for a kept answer, and has the member's answer kept when there is none (httpd: mod_cache.c
// cache_quick_handler, cache_handler).
func (c *settings) look(ctx context.Context, x *exchange.Exchange, early bool, path, query string, list []provider) error {
	if len(list) == 0 {
		return nil
	}
	l := &lookup{settings: c, early: early, providers: list, asked: kept.Parse(x.Req.Header.Joined("Cache-Control"), x.Req.Header.Joined("Pragma"))}
	ignore := c.server.ignoreControl.Or(false)
	if l.asked.NoStore && !ignore || early && x.Req.Header.Has("Authorization") {
		return nil
	}
	switch {
	case x.Req.Method == "PUT", x.Req.Method == "POST", x.Req.Method == "DELETE":
		l.setKey(x, path, query)
		x.AddOutput(exchange.Filter{Module: "cache", Name: "CACHE_INVALIDATE", Kind: exchange.Protocol, Stays: true, Do: l.invalidate})
		return nil
	case !x.Req.IsGet():
		return nil
	}
	l.setKey(x, path, query)
	if !l.asked.NoCache || ignore {
		if err := l.find(ctx, x, ignore); err != nil {
			return err
		}
	}
	l.follow(x)
	return nil
}

func (l *lookup) setKey(x *exchange.Exchange, path, query string) {
	if path == "" {
		path = "/"
	}
	place := l.place(x)
	l.key = place.Key(path, query)
}

// place is what x's server keeps answers under.
func (c *settings) place(x *exchange.Exchange) kept.Place {
	p := kept.Place{Scheme: x.Scheme(), Host: x.ServerName(), Port: ":" + x.Arena.Int(int64(x.ServerPort())),
		IgnoreQuery: c.server.ignoreQuery.Or(false), IgnoreIDs: c.server.ignoreIDs.Or(nil)}
	if base := c.server.base.Or(nil); base != nil {
		if base.Scheme != "" {
			p.Scheme = base.Scheme
		}
		if name := base.Hostname(); name != "" {
			p.Host, p.Port = name, ""
		}
		if port := base.Port(); port != "" {
			p.Port = ":" + port
		}
	}
	return p
}

// find looks for an answer that may be given; the error is AnswerMade, or the answer's status. A stale one is noted
// (httpd: cache_storage.c cache_select).
func (l *lookup) find(ctx context.Context, x *exchange.Exchange, ignore bool) error {
	for _, p := range l.providers {
		if p.store == nil {
			if p.name == "disk" && !l.server.hasRoot() && !rootMissing.Swap(true) {
				x.Log("cache_disk", exchange.Error, nil, "AH00703: Cannot cache files to disk without a CacheRoot specified.")
			}
			continue
		}
		e := p.store.Lookup(l.key, &x.Req.Header, !x.HeadOnly)
		if e == nil {
			continue
		}
		d := precondition.Of(&e.Header, x.Start)
		contradicts := precondition.Contradicts(x, &d)
		if !contradicts {
			warn, fresh := e.Fresh(&l.asked, ignore, x.Start)
			if !fresh && !l.takeLock(p.store) && l.lockable(e, ignore) {
				warn, fresh = 110, true
			}
			if fresh {
				return l.give(ctx, x, p.store, e, warn)
			}
		}
		if l.asked.OnlyIfCached {
			l.unlock()
			continue
		}
		l.entry, l.store, l.kind = e, p.store, p.name
		l.original.CopyFrom(&x.Req.Header)
		if !contradicts {
			ask(x, e)
		}
		return nil
	}
	if l.asked.OnlyIfCached {
		return exchange.Status(504)
	}
	return nil
}

// lockable reports whether a stale answer may be given while somebody else asks for a new one: it was once fresh, and
// nobody forbids it.
func (l *lookup) lockable(e *kept.Entry, ignore bool) bool {
	return !(l.asked.NoCache && !ignore) && !e.Control.NoCache
}

// takeLock reports whether this request may ask the member, and keep the answer (httpd: cache_util.c cache_try_lock).
func (l *lookup) takeLock(s *kept.Store) bool {
	switch {
	case !l.server.lock.Or(false), l.locked != nil:
		return true
	case !s.Lock(l.key, l.server.lockAge.Or(lockAge)):
		return false
	}
	l.locked = s
	return true
}

// unlock gives the lock back.
func (l *lookup) unlock() {
	if l.locked != nil {
		l.locked.Unlock(l.key)
		l.locked = nil
	}
}

// Finish is exchange.Finisher's.
func (l *lookup) Finish(*exchange.Exchange) { l.unlock() }

// ours are the fields by which clients condition their requests.
var ours = []string{"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since"}

// ask has the member asked whether the entry still holds.
func ask(x *exchange.Exchange, e *kept.Entry) {
	h := &x.Req.Header
	for _, name := range ours {
		h.Del(name)
	}
	tag, modified := e.Header.Get("ETag"), e.Header.Get("Last-Modified")
	if tag == "" && modified == "" {
		return
	}
	if tag != "" {
		h.Set("If-None-Match", tag)
	}
	if modified != "" {
		h.Set("If-Modified-Since", modified)
	}
	h.Del("Range") // a 304 has no use for it, and of a new answer the whole is wanted
}

// restore puts the client's own fields back, for what comes behind.
func (l *lookup) restore(x *exchange.Exchange) {
	if l.entry != nil {
		x.Req.Header.CopyFrom(&l.original)
	}
}

// replaced is restore for an answer that replaces the kept one, or for the kept one in the place of a failure. The whole
// was asked for, and is given.
func (l *lookup) replaced(x *exchange.Exchange) {
	whole := !x.Req.Header.Has("Range")
	if l.restore(x); whole {
		x.Req.Header.Del("Range")
	}
}

// follow has what the member answers looked at.
func (l *lookup) follow(x *exchange.Exchange) {
	s := l.anyStore()
	if s != nil && !l.takeLock(s) {
		l.restore(x)
		return
	}
	x.State[exchange.StateCache] = l
	x.OnFinish(l)
	x.AddOutput(exchange.Filter{Module: "cache", Name: "CACHE_SAVE", Kind: exchange.ContentSet + 1, Pages: true, Do: l.save})
	x.AddOutput(exchange.Filter{Module: "cache", Name: "CACHE_REMOVE_URL", Kind: exchange.Protocol, Stays: true, Do: l.remove})
}

// anyStore is the store whose lock counts.
func (l *lookup) anyStore() *kept.Store {
	for _, p := range l.providers {
		if p.store != nil {
			return p.store
		}
	}
	return nil
}
