package cache

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Modules are mod_cache, mod_cache_disk and mod_cache_socache, whose answers are in stores. They stand behind all modules that
// map, refuse or edit: what is looked for first puts itself in front.
func Modules(stores *Stores) []site.Module {
	return []site.Module{
		{Name: "cache", Table: table, Open: stores.load, Reads: []string{"mod_cache", "mod_cache server"}},
		{Name: "cache_disk", Table: diskTable},
		{Name: "cache_socache", Table: socacheTable},
	}
}

var table = directive.Table{
	{Name: "CacheEnable", Set: setEnable, Help: "keep answers below a path, on disk or in memory"},
	{Name: "CacheDisable", Set: setDisable, Help: "keep no answers below a path"},
	{Name: "CacheMaxExpire", Set: setSeconds(func(d *sectionSettings) *count { return &d.maxExpire }), Help: "how long an answer holds at most"},
	{Name: "CacheMinExpire", Set: setSeconds(func(d *sectionSettings) *count { return &d.minExpire }), Help: "how long an answer holds at least"},
	{Name: "CacheDefaultExpire", Set: setSeconds(func(d *sectionSettings) *count { return &d.defaultExpire }), Help: "how long an answer holds of which nothing is known"},
	{Name: "CacheQuickHandler", Set: serverFlag(func(c *serverSettings) *flag { return &c.quick }), Help: "look for kept answers before anything else"},
	{Name: "CacheIgnoreNoLastMod", Set: sectionFlag(func(d *sectionSettings) *flag { return &d.noLastModified }), Help: "keep answers that say nothing of their age"},
	{Name: "CacheIgnoreCacheControl", Set: serverFlag(func(c *serverSettings) *flag { return &c.ignoreControl }), Help: "do not heed clients that want no kept answer"},
	{Name: "CacheStoreExpired", Set: sectionFlag(func(d *sectionSettings) *flag { return &d.expired }), Help: "keep answers that are stale at once"},
	{Name: "CacheStorePrivate", Set: sectionFlag(func(d *sectionSettings) *flag { return &d.private }), Help: "keep answers that are private"},
	{Name: "CacheStoreNoStore", Set: sectionFlag(func(d *sectionSettings) *flag { return &d.noStore }), Help: "keep answers that are not to be stored"},
	{Name: "CacheIgnoreHeaders", Set: setList(func(c *serverSettings) *directive.Opt[[]string] { return &c.ignoreHeaders }), Help: "fields that are not kept"},
	{Name: "CacheIgnoreQueryString", Set: serverFlag(func(c *serverSettings) *flag { return &c.ignoreQuery }), Help: "one answer whatever the query"},
	{Name: "CacheIgnoreURLSessionIdentifiers", Set: setList(func(c *serverSettings) *directive.Opt[[]string] { return &c.ignoreIDs }), Help: "session identifiers in URLs that make no difference"},
	{Name: "CacheLastModifiedFactor", Set: setFactor, Help: "which part of its age an answer goes on to hold"},
	{Name: "CacheLock", Set: serverFlag(func(c *serverSettings) *flag { return &c.lock }), Help: "one request at a time asks for what is not kept"},
	{Name: "CacheLockPath", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "CacheLockMaxAge", Set: setLockAge, Help: "how long the others wait for it, in seconds"},
	{Name: "CacheHeader", Set: setHeader(func(c *serverSettings) *flag { return &c.header }, func(d *sectionSettings) *flag { return &d.header }), Help: "tell in X-Cache whether an answer was kept"},
	{Name: "CacheDetailHeader", Set: setHeader(func(c *serverSettings) *flag { return &c.detail }, func(d *sectionSettings) *flag { return &d.detail }), Help: "tell in X-Cache-Detail why"},
	{Name: "CacheKeyBaseURL", Set: setBase, Help: "one name for all names of a server"},
	{Name: "CacheStaleOnError", Set: sectionFlag(func(d *sectionSettings) *flag { return &d.stale }), Help: "give a stale answer when the member fails"},
}

const mostBytes = 1<<63 - 1

var diskTable = directive.Table{
	{Name: "CacheRoot", Set: setRoot, Help: "the folder of kept answers"},
	{Name: "CacheDirLevels", Ignored: &directive.Ignored{Check: setLevels, Tuning: true}},
	{Name: "CacheDirLength", Ignored: &directive.Ignored{Check: setLength, Tuning: true}},
	{Name: "CacheMinFileSize", Help: "keep no shorter bodies", Set: setBytes(func(d *sectionSettings) *count { return &d.minFile }, 0, mostBytes, "CacheMinFileSize argument must be a non-negative integer representing the min size of a file to cache in bytes.")},
	{Name: "CacheMaxFileSize", Help: "keep no longer bodies", Set: setBytes(func(d *sectionSettings) *count { return &d.maxFile }, 0, mostBytes, "CacheMaxFileSize argument must be a non-negative integer representing the max size of a file to cache in bytes.")},
	{Name: "CacheReadSize", Ignored: &directive.Ignored{Check: setBytes(nil, 0, mostBytes, "CacheReadSize argument must be a non-negative integer representing the max amount of data to cache in go."), Tuning: true}},
	{Name: "CacheReadTime", Ignored: &directive.Ignored{Check: setBytes(nil, 0, mostBytes, "CacheReadTime argument must be a non-negative integer representing the max amount of time taken to cache in go."), Tuning: true}},
}

var socacheTable = directive.Table{
	{Name: "CacheSocache", Set: setSocache, Help: "the memory of kept answers, with its size"},
	{Name: "CacheSocacheMaxTime", Help: "how long answers are kept in memory at most", Set: setBytes(func(d *sectionSettings) *count { return &d.socacheMaxTime }, 0, mostBytes, "CacheSocacheMaxTime argument must be the maximum amount of time in seconds to cache an entry.")},
	{Name: "CacheSocacheMinTime", Help: "how long answers are kept in memory at least", Set: setBytes(func(d *sectionSettings) *count { return &d.socacheMinTime }, 0, mostBytes, "CacheSocacheMinTime argument must be the minimum amount of time in seconds to cache an entry.")},
	{Name: "CacheSocacheMaxSize", Help: "keep no longer answers in memory", Set: setBytes(func(d *sectionSettings) *count { return &d.socacheMax }, 1024, 1<<32-1, "CacheSocacheMaxSize argument must be a integer representing the max size of a cached entry (headers and body), at least 1024 and at most (4294967295U)")},
	{Name: "CacheSocacheReadSize", Ignored: &directive.Ignored{Check: setBytes(nil, 0, mostBytes, "CacheSocacheReadSize argument must be a non-negative integer representing the max amount of data to cache in go."), Tuning: true}},
	{Name: "CacheSocacheReadTime", Ignored: &directive.Ignored{Check: setBytes(nil, 0, mostBytes, "CacheSocacheReadTime argument must be a non-negative integer representing the max amount of time taken to cache in go."), Tuning: true}},
}

// settings are a plan's, compiled.
type settings struct {
	server   serverSettings
	host     sectionSettings // those of the server alone
	section  sectionSettings
	stores   map[string]*handle // by type
	ignored  []string           // fields that are not kept
	boundary string             // between several ranges
}

func (l *loaded) build(chain []*directive.Scope, p *site.Plan) error {
	var outer []*directive.Scope
	for _, s := range chain {
		if !inSection(s) {
			outer = append(outer, s)
		}
	}
	c := &settings{server: servers.Merged(outer...), host: sections.Merged(outer...), section: sections.Merged(chain...), boundary: l.boundary}
	c.stores = l.storesOf(&c.server)
	list, said := c.server.ignoreHeaders.Get()
	if c.ignored = list; !said {
		c.ignored = usuallyIgnored
	}
	p.OutputFor(exchange.Filter{Name: "CACHE", Kind: exchange.Resource, Resumes: true, Do: c.marked})
	if c.server.quick.Or(true) {
		if len(c.server.enable) > 0 {
			p.AddFirst(site.Types, "CacheEnable", c.quick)
		}
	} else if len(c.server.enable)+len(c.section.enable) > 0 {
		p.Add(site.Insert, "CacheEnable", c.late)
	}
	return nil
}

// usuallyIgnored are the fields that are not kept where CacheIgnoreHeaders does not say which: what one client is given to
// be known by is not for the next one.
var usuallyIgnored = []string{"Set-Cookie", "Set-Cookie2"}

// sizeOf reads a number of bytes with K, M, G or T behind it.
func sizeOf(s string) (int64, error) {
	unit := int64(1)
	if i := strings.IndexByte("KMGT", upper(s)); i >= 0 {
		unit, s = 1<<(10*(i+1)), s[:len(s)-1]
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n > mostBytes/unit {
		return 0, errors.New("not a size")
	}
	return n * unit, nil
}

// upper is the last letter in upper case.
func upper(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1] &^ 0x20
}
