package cache

import (
	"net/http"
	"strconv"
	"time"

	"balancerd/proxy/exchange"
)

// Lifetimes are the settings that decide how long an answer holds which does not say so itself.
type Lifetimes struct {
	Default, Min, Max time.Duration // CacheDefaultExpire, CacheMinExpire, CacheMaxExpire
	Factor            float64       // CacheLastModifiedFactor
}

// Expiry is when an answer with these fields stops to hold, counted from its date (httpd: mod_cache.c
// cache_save_filter).
func (l *Lifetimes) Expiry(c *Control, date time.Time, expires, modified string) time.Time {
	switch {
	case c.Shared:
		return date.Add(l.within(seconds(c.SMaxAge)))
	case c.Aged:
		return date.Add(l.within(seconds(c.MaxAge)))
	}
	if t, err := http.ParseTime(expires); err == nil {
		return t
	}
	if t, err := http.ParseTime(modified); err == nil && t.Before(date) {
		return date.Add(l.within(time.Duration(float64(date.Sub(t)) * l.Factor)))
	}
	return date.Add(l.Default)
}

func (l *Lifetimes) within(d time.Duration) time.Duration { return min(max(d, l.Min), l.Max) }

// seconds is n seconds, as far as a Duration can be.
func seconds(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Second)
	return time.Duration(min(max(n, -most), most)) * time.Second
}

// first is the first number that was said.
func first(list ...int64) int64 {
	for _, n := range list {
		if n != -1 {
			return n
		}
	}
	return -1
}

// Age is how old an answer is, in whole seconds: at its member, on the way, and here (RFC 9111 section 4.2.3; httpd:
// cache_util.c ap_cache_current_age).
func (e *Entry) Age(now time.Time) int64 {
	said, _ := strconv.ParseInt(e.Header.Get("Age"), 10, 64)
	apparent := max(0, e.Received.Sub(e.Date))
	initial := max(apparent, seconds(said)) + e.Received.Sub(e.Requested)
	return max(0, int64((initial+now.Sub(e.Received))/time.Second))
}

// Fresh reports whether the answer may be given at now, to a request that says asked (httpd: cache_util.c
// cache_check_freshness). ignore: CacheIgnoreCacheControl. warn is the code of a Warning that belongs to it: 110,
// 113, or 0 for none.
func (e *Entry) Fresh(asked *Control, ignore bool, now time.Time) (warn int, fresh bool) {
	c := &e.Control
	if asked.NoCache && !ignore || c.NoCache {
		return 0, false
	}
	age, most := e.Age(now), e.mostAge(asked, ignore)
	lifetime := int64(e.Expires.Sub(e.Date) / time.Second)
	slack := e.slack(asked, ignore)
	if most != -1 && age >= sum(most, slack) || most == -1 && age >= sum(lifetime, slack) {
		return 0, false
	}
	switch {
	case !(most != -1 && age < most || lifetime > age):
		return 110, true
	case first(c.SMaxAge, c.MaxAge) == -1 && !e.Header.Has("Expires") && age > 86400:
		return 113, true
	}
	return 0, true
}

// mostAge is the smaller of the ages that the answer and the request allow; -1 when neither says one.
func (e *Entry) mostAge(asked *Control, ignore bool) int64 {
	own, wanted := first(e.Control.SMaxAge, e.Control.MaxAge), asked.MaxAge
	switch {
	case ignore, wanted == -1:
		return own
	case own == -1:
		return wanted
	}
	return min(own, wanted)
}

// slack is by how many seconds the request lets an answer be too old, less those that it has to be fresh for.
func (e *Entry) slack(asked *Control, ignore bool) (n int64) {
	const year = 365 * 86400
	if c := &e.Control; asked.HasMaxStale && !c.MustRevalidate && !c.ProxyRevalidate && c.SMaxAge == -1 {
		if n = asked.MaxStale; n == -1 {
			n = year
		}
	}
	if !ignore && asked.MinFresh != -1 {
		n = sum(n, -asked.MinFresh)
	}
	return n
}

// sum adds without overflow.
func sum(a, b int64) int64 {
	switch s := a + b; {
	case b > 0 && s < a:
		return 1<<63 - 1
	case b < 0 && s > a:
		return -1 << 63
	default:
		return s
	}
}

// Outlives reports whether the answer may be given when its member fails (CacheStaleOnError; RFC 9111 section 4.2.4).
// own: in the place of an own error page, which s-maxage forbids as well (httpd: mod_cache.c
// cache_insert_error_filter).
func (e *Entry) Outlives(own bool) bool {
	c := &e.Control
	return !c.MustRevalidate && !c.ProxyRevalidate && !(own && c.Shared)
}

// Differing are the fields of a 304 that say that it is about another document: its ETag and the fields that describe
// contents (RFC 9111 section 4.3.4; httpd: mod_cache.c cache_save_filter).
func (e *Entry) Differing(h *exchange.Header) (names []string) {
	for _, name := range append([]string{"ETag"}, Describing...) {
		kept, told := e.Header.Joined(name), h.Joined(name)
		if name == "Content-Length" && e.Length >= 0 {
			kept = strconv.FormatInt(e.Length, 10)
		}
		if kept != "" && told != "" && kept != told {
			names = append(names, name)
		}
	}
	return names
}

// Describing are the fields of contents that a 304 has no say in (httpd: mod_cache.h MOD_CACHE_ENTITY_HEADERS).
var Describing = []string{"Allow", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-MD5", "Content-Range", "Content-Type", "Last-Modified"}
