package cache

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"balancerd/apacheconf/directive"
	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/headers"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "cache cache_disk cache_socache socache_shmcb headers proxy"

func modules() []site.Module {
	list := append([]site.Module{core.Module(), sitetest.Member()}, headers.Modules()...)
	return append(list, Modules(&Stores{})...)
}

func serving(t *testing.T, conf string) *sitetest.Rig {
	t.Helper()
	return sitetest.New(t, preload, conf, modules()...)
}

// inMemory keeps answers of any path.
const inMemory = "CacheEnable socache /\nCacheSocache shmcb\nCacheHeader On\nCacheDetailHeader On\n"

// get is what a member's answer, with the fields of "A: b|C: d", came to: the status, what X-Cache says, and the body.
func get(r *sitetest.Rig, path, answer string, fields ...string) (*exchange.Exchange, string) {
	x := r.Get("GET " + path + " HTTP/1.1\nX-Answer: " + answer + "\n" + strings.Join(fields, "\n"))
	word, _, _ := strings.Cut(x.Res.Header.Get("X-Cache"), " ")
	return x, strings.TrimSpace(fmt.Sprint(x.Res.Status, " ", word, " ", sitetest.Body(x)))
}

// detail is X-Cache-Detail's text.
func detail(x *exchange.Exchange) string {
	_, s, _ := strings.Cut(x.Res.Header.Get("X-Cache-Detail"), `"`)
	s, _, _ = strings.Cut(s, `"`)
	return s
}

func TestRefused(t *testing.T) {
	for conf, want := range map[string]string{
		"CacheEnable":                                       "CacheEnable takes 1-2 arguments, A cache type and partial URL prefix below which caching is enabled",
		"CacheEnable disk":                                  "CacheEnable provider (disk) is missing an URL.",
		`CacheEnable disk ""`:                               "CacheEnable provider (disk) is missing an URL.",
		"CacheEnable /x disk":                               "provider (/x) starts with a '/'.  Are url and provider switched?",
		"CacheEnable nosuch /":                              "",
		"CacheDisable x":                                    "CacheDisable must specify a path or an URL.",
		"<Location /a>\nCacheDisable /b\n</Location>":       "CacheDisable must be followed by the word 'on' when in a Location.",
		"<Location /a>\nCacheEnable disk /b\n</Location>":   "When in a Location, CacheEnable must specify a path or an URL below that location.",
		"<Location /a>\nCacheEnable disk /a/b\n</Location>": "",
		"<Location /a>\nCacheEnable disk \"\"\n</Location>": "",
		"<Directory />\nCacheEnable disk\n</Directory>":     "CacheEnable cannot occur within <Directory> section",
		"CacheLastModifiedFactor x":                         "CacheLastModifiedFactor value must be a float",
		"CacheLastModifiedFactor 0.5x":                      "",
		"CacheLockMaxAge 0":                                 "CacheLockMaxAge value must be a non-zero positive integer",
		"CacheKeyBaseURL /x":                                "URL '/x' must contain at least one of a scheme, a hostname or a port.",
		"CacheDirLevels 0":                                  "CacheDirLevels value must be an integer greater than 0",
		"CacheDirLevels 11":                                 "CacheDirLevels*CacheDirLength value must not be higher than 20",
		"CacheDirLength 21":                                 "CacheDirLevels*CacheDirLength value must not be higher than 20",
		"CacheMaxFileSize -1":                               "CacheMaxFileSize argument must be a non-negative integer representing the max size of a file to cache in bytes.",
		"CacheMaxFileSize 10M":                              "",
		"CacheSocache nosuch":                               "Unknown socache provider 'nosuch'. Maybe you need to load the appropriate socache module (mod_socache_nosuch?)",
		"CacheSocache dbm":                                  "Unknown socache provider 'dbm'. Maybe you need to load the appropriate socache module (mod_socache_dbm?)",
		"CacheSocacheMaxSize 10":                            "CacheSocacheMaxSize argument must be a integer representing the max size of a cached entry (headers and body), at least 1024 and at most (4294967295U)",
		"CacheSocacheMaxTime -1":                            "CacheSocacheMaxTime argument must be the maximum amount of time in seconds to cache an entry.",
		"CacheHeader perhaps":                               "CacheHeader must be On or Off",
		"Define BALANCERD_CACHE_SIZE 10x":                   "Define BALANCERD_CACHE_SIZE: '10x' is no number of bytes",
		"Define BALANCERD_CACHE_SIZE 10G":                   "",
	} {
		if got := sitetest.Refused(preload, conf+"\n", modules()...); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

// What httpd 2.4.71 said of these answers, and whether it gave them again.
func TestWhatIsKept(t *testing.T) {
	const tag, keeps = `ETag: "a"`, "cache miss: attempting entity save"
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") }
	r := serving(t, inMemory)
	for i, c := range []struct {
		answer, want string
		again        bool
	}{
		{"Cache-Control: max-age=60", keeps, true},
		{"Cache-Control: s-maxage=60, max-age=0", keeps, true},
		{"Last-Modified: " + date(-24*time.Hour), keeps, true},
		{tag, keeps, true},
		{"", "No Last-Modified; Etag; Expires; Cache-Control:max-age or Cache-Control:s-maxage headers", false},
		{"Expires: " + date(time.Minute), keeps, true},
		{tag + "|Expires: " + date(-time.Minute), "Expires header already expired; not cacheable", false},
		{tag + "|Expires: 0", "Broken expires header: 0", false},
		{"Cache-Control: max-age=60, private", "Cache-Control: private present", false},
		{"Cache-Control: max-age=60, no-store", "Cache-Control: no-store present", false},
		{"Cache-Control: must-revalidate", "No Last-Modified; Etag; Expires; Cache-Control:max-age or Cache-Control:s-maxage headers", false},
		{"Cache-Control: must-revalidate, max-age=0", "s-maxage or max-age zero and no Last-Modified or Etag; not cacheable", false},
		{"Cache-Control: max-age=60|Vary: Cookie, *", "Vary header contains '*'", false},
		{"Cache-Control: max-age=0", keeps, false},
		{"Cache-Control: max-age=60|Age: 61", keeps, false},
		{tag + "|Cache-Control: no-cache", keeps, false},
	} {
		path := fmt.Sprint("/proxied/", i)
		x, _ := get(r, path, c.answer)
		if detail(x) != c.want {
			t.Errorf("%s: %s, want %s", c.answer, detail(x), c.want)
		}
		if x, _ = get(r, path, c.answer); (detail(x) == "cache hit") != c.again {
			t.Errorf("%s, again: %s", c.answer, detail(x))
		}
	}
	if x, _ := get(r, "/proxied/q?a", tag); detail(x) != "Query string present but no explicit expiration time" {
		t.Error(detail(x))
	}
	if x, _ := get(r, "/proxied/env", "Cache-Control: max-age=60", "Env: no-cache"); detail(x) != "environment variable 'no-cache' is set" {
		t.Error(detail(x))
	}
}

// A hit is what was sent, less what was for one client alone, with an age; its date and server are ours.
func TestHit(t *testing.T) {
	r := serving(t, inMemory+"Header set X-Edited \"expr=%{req:X-Q}\"\n")
	const answer = `Cache-Control: max-age=60, no-cache="X-Mine"|Content-Type: text/plain|X-Mine: 1|Set-Cookie: a=b|Date: Sat, 28 Nov 2026 00:00:00 GMT|Server: m|Connection: X-Y|ETag: "e"`
	answers := strings.Replace(answer, "Sat, 28 Nov 2026 00:00:00 GMT", time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), 1)
	get(r, "/proxied/x", answers, "X-Q: 1")
	x, got := get(r, "/proxied/x", "", "X-Q: 2")
	if got != "200 HIT member" || !x.Res.Local || x.Res.Header.Get("X-Edited") != "1" || x.Res.Header.Get("Content-Type") != "text/plain" {
		t.Error(got, x.Res.Header.F)
	}
	for _, name := range []string{"X-Mine", "Set-Cookie", "Date", "Server", "Connection", "Content-Length"} {
		if x.Res.Header.Has(name) {
			t.Error(name, "was kept")
		}
	}
	if age := x.Res.Header.Get("Age"); age != "0" && age != "1" {
		t.Error("Age", age)
	}
	if v, _ := x.Env.Get("cache-hit"); v != "cache hit" {
		t.Error(v)
	}
	for fields, want := range map[string]string{
		`If-None-Match: "e"`:                    "304 HIT",
		"Range: bytes=2-3":                      "206 HIT mb",
		"Cache-Control: only-if-cached":         "200 HIT member",
		"Authorization: Basic eDp5":             "200  member",
		"Cache-Control: no-store":               "200  member",
		"Cache-Control: max-age=0":              "200 MISS member",
		"Cache-Control: no-cache":               "200 MISS member",
		`If-None-Match: "other"`:                "200 MISS member",
		"Range: bytes=0-1\nIf-Range: \"other\"": "200 MISS member",
	} {
		get(r, "/proxied/x", answers, "Cache-Control: no-cache")
		if _, got := get(r, "/proxied/x", answers, fields); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	x = r.Get("HEAD /proxied/x HTTP/1.1\nRange: bytes=0-1,3-4")
	if kind := x.Res.Header.Get("Content-Type"); x.Res.Status != 206 || !strings.HasPrefix(kind, "multipart/byteranges") {
		t.Errorf("HEAD of two ranges: %d, %s", x.Res.Status, kind)
	}
	if _, got := get(r, "/proxied/none", "", "Cache-Control: only-if-cached"); !strings.HasPrefix(got, "504") {
		t.Error(got)
	}
}

// What httpd 2.4.71 gave to clients that ask for a range: the whole when it is being kept, or stands in for a failure, the
// range of what is kept, and of what is not to be kept.
func TestFirstAskedForARange(t *testing.T) {
	const answer, asked = `Cache-Control: max-age=60|ETag: "e"`, "Range: bytes=1-2"
	r := serving(t, inMemory)
	for _, c := range [][2]string{{answer, "200 MISS member"}, {answer, "206 HIT em"}} {
		if _, got := get(r, "/proxied/cold", c[0], asked); got != c[1] {
			t.Errorf("%s, want %s", got, c[1])
		}
	}
	if _, got := get(r, "/proxied/past", "Cache-Control: max-age=60", asked+`
If-Range: "f"`); got != "200 MISS member" {
		t.Error("If-Range:", got)
	}
	if _, got := get(r, "/proxied/none", "", asked); got != "206 MISS em" {
		t.Error("not kept:", got)
	}
	get(r, "/proxied/down", `Cache-Control: max-age=0|ETag: "e"`)
	x := r.Get("GET /proxied/down HTTP/1.1\nX-Status: 503\n" + asked)
	if x.Res.Status != 200 || sitetest.Body(x) != "member" || x.Res.Always.Get("Warning")+x.Res.Header.Get("Warning") != "111 Revalidation failed" {
		t.Error("in the place of a failure:", x.Res.Status)
	}
}

// What httpd 2.4.71 keeps of an ErrorDocument's answer: it, under its own path, and with the status that it had. The
// request that failed fails each time.
func TestErrorDocumentsAreKeptUnderTheirOwnPath(t *testing.T) {
	const answer = "Cache-Control: max-age=60"
	for _, quick := range []string{"On", "Off"} {
		r := serving(t, inMemory+"CacheQuickHandler "+quick+"\nErrorDocument 404 /proxied/sorry\n")
		for _, c := range [][2]string{{"/none", "200 MISS member"}, {"/none", "200 HIT member"}, {"/proxied/sorry", "200 HIT member"}, {"/other", "200 HIT member"}} {
			x, got := get(r, c[0], answer)
			if failed := x.Prev != nil && x.Prev.Error == 404; got != c[1] || failed == (c[0] == "/proxied/sorry") {
				t.Errorf("CacheQuickHandler %s, %s: %s, failed %v; want %s", quick, c[0], got, failed, c[1])
			}
		}
	}
}

// What access control refuses is not given out of the cache.
func TestRefusedClientsGetNothing(t *testing.T) {
	mods := append([]site.Module{{Name: "authz", Open: gate}}, modules()...)
	r := sitetest.New(t, preload, inMemory, mods...)
	if _, got := get(r, "/proxied/x", "Cache-Control: max-age=60"); got != "200 MISS member" {
		t.Fatal(got)
	}
	if _, got := get(r, "/proxied/x", "", "X-Bad: 1"); !strings.HasPrefix(got, "403") {
		t.Error(got)
	}
	if _, got := get(r, "/proxied/x", ""); got != "200 HIT member" {
		t.Error(got)
	}
}

// gate refuses requests with X-Bad.
func gate(*directive.Config, *site.Site) (site.Builder, error) {
	return func(_ []*directive.Scope, p *site.Plan) error {
		p.Add(site.Access, "Require", func(_ context.Context, x *exchange.Exchange) error {
			if x.Req.Header.Has("X-Bad") {
				return exchange.Status(403)
			}
			return nil
		})
		return nil
	}, nil
}

func TestFolders(t *testing.T) {
	root := t.TempDir()
	conf := "CacheEnable disk /\nCacheRoot " + root + "\nCacheHeader On\n"
	mods := modules()
	r := sitetest.New(t, preload, conf, mods...)
	get(r, "/proxied/x", "Cache-Control: max-age=60")
	if _, got := get(r, "/proxied/x", ""); got != "200 HIT member" {
		t.Error(got)
	}
	r = sitetest.New(t, preload, conf, mods...) // a reload
	if _, got := get(r, "/proxied/x", ""); got != "200 HIT member" {
		t.Error("after a reload:", got)
	}
	r = sitetest.New(t, preload, strings.Replace(conf, root, root+"/none", 1), mods...)
	if _, got := get(r, "/proxied/x", "Cache-Control: max-age=60"); got != "200 MISS member" || !strings.Contains(r.Log.Take(), "") {
		t.Error(got)
	}
	r = serving(t, "CacheEnable disk /\n")
	rootMissing.Store(false)
	get(r, "/proxied/x", "Cache-Control: max-age=60")
	get(r, "/proxied/x", "Cache-Control: max-age=60")
	if log := r.Log.Take(); strings.Count(log, "AH00703: Cannot cache files to disk without a CacheRoot specified.") != 1 {
		t.Error(log)
	}
	if entries, _ := os.ReadDir(root); len(entries) != 1 {
		t.Error(entries)
	}
}

// A stale answer is asked for again by its validators; 304 refreshes it, another document's 304 is asked for anew, a failure is
// bridged.
func TestRevalidation(t *testing.T) {
	const stale = `Cache-Control: max-age=0|ETag: "a"|Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT`
	for _, c := range []struct{ first, then, want, detail string }{
		{stale, `!304|ETag: "a"|X-N: 2`, "200 REVALIDATE member", "conditional cache hit: entity refreshed"},
		{stale, `ETag: "b"|Cache-Control: max-age=9`, "200 MISS member", "cache miss: attempting entity save"},
		{stale, `!304|ETag: "a"|Content-Length: 6`, "200 REVALIDATE member", "conditional cache hit: entity refreshed"},
		{stale, `!304|ETag: "a"|Content-Length: 99`, "304 MISS", "HTTP Status 304 Not Modified"},
		{stale, `!304|ETag: "b"`, "304 MISS", "HTTP Status 304 Not Modified"}, // the member was asked again, without conditions
		{stale, "!503", "200 HIT member", "cache hit: 503 status; stale content returned"},
		{stale + "|Cache-Control: must-revalidate", "!503", "503 MISS member", "Response status 503"},
		{stale, "!404", "404 MISS member", "Response status 404"},
	} {
		r := serving(t, inMemory)
		get(r, "/proxied/x", c.first)
		answer, status := c.then, ""
		if strings.HasPrefix(answer, "!") {
			status, answer = answer[1:4], strings.TrimPrefix(answer[4:], "|")
		}
		x := r.Get("GET /proxied/x HTTP/1.1\nX-Answer: " + answer + "\nX-Status: " + status)
		word, _, _ := strings.Cut(x.Res.Header.Get("X-Cache"), " ")
		got := strings.TrimSpace(fmt.Sprint(x.Res.Status, " ", word, " ", sitetest.Body(x)))
		if got != c.want || detail(x) != c.detail {
			t.Errorf("%s: %s (%s), want %s (%s)", c.then, got, detail(x), c.want, c.detail)
		}
	}
}

// An answer whose length is known is kept before the client can have its last byte, and ask again.
func TestKeptInTime(t *testing.T) {
	const text = "01234567890123456789"
	for name, from := range map[string]exchange.Source{"read": &sitetest.Pieces{Text: text, Size: 7, Times: 1}, "at hand": exchange.NewBytes([]byte(text))} {
		store := kept.NewMemory(kept.Limits{Bytes: 1 << 20, Entries: 10, Heads: 1 << 20})
		e := &kept.Entry{Key: "k", Status: 200, Length: int64(len(text)), Received: time.Now(), Expires: time.Now().Add(time.Hour)}
		x := &exchange.Exchange{}
		x.Res.Body = from
		b := newTee(x, store.Record(e, 100), 1, &lookup{})
		for n := 0; n < len(text); {
			if held := b.Buffered(); len(held) > 0 {
				break // the server sends it now
			}
			k, err := b.Read(make([]byte, 100))
			if n += k; err != nil {
				t.Fatal(n, err)
			}
		}
		if store.Lookup("k", &exchange.Header{}, true) == nil {
			t.Error(name, "it is not kept when its last byte is sent")
		}
		b.Close()
	}
}

// A client that wants only what is kept, and finds it stale, leaves no lock behind.
func TestNoLockIsLeftBehind(t *testing.T) {
	r := serving(t, inMemory+"CacheLock On\nCacheLockMaxAge 1000\n")
	get(r, "/proxied/x", `Cache-Control: max-age=0|ETag: "a"`)
	if _, got := get(r, "/proxied/x", "", "Cache-Control: only-if-cached"); !strings.HasPrefix(got, "504") {
		t.Fatal(got)
	}
	if _, got := get(r, "/proxied/x", `Cache-Control: max-age=9|ETag: "b"`); got != "200 MISS member" {
		t.Error(got, ": the lock is held")
	}
}

// How long answers are kept in memory: for a while after they expire, and never longer than may be.
func TestTimesInMemory(t *testing.T) {
	for conf, want := range map[string]time.Duration{"": 700 * time.Second, "CacheSocacheMinTime 5": 105 * time.Second, "CacheSocacheMaxTime 50": 50 * time.Second, "CacheSocacheMaxTime 99999999999999\nCacheSocacheMinTime 0": 100 * time.Second} {
		c, err := sitetest.Bind(preload, conf+"\n", modules()...)
		if err != nil {
			t.Fatal(err)
		}
		d := sections.Merged(c.Main)
		now := time.Now()
		e := &kept.Entry{Requested: now, Expires: now.Add(100 * time.Second)}
		if d.limit("socache", e); e.Until.Sub(now) != want {
			t.Errorf("%s: %v, want %v", conf, e.Until.Sub(now), want)
		}
		e = &kept.Entry{Requested: now, Expires: now}
		if d.limit("disk", e); !e.Until.IsZero() {
			t.Error("on disk there is no such time")
		}
	}
}
