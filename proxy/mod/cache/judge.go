package cache

import (
	"net/http"

	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
)

// candidate is an answer that is judged: may it be kept? (httpd: mod_cache.c cache_save_filter)
type candidate struct {
	x        *exchange.Exchange
	l        *lookup
	d        *sectionSettings // of where it was made
	control  kept.Control
	said     bool // Cache-Control is there
	expires  string
	modified string // "" for one that is no date
	tag      string
}

func newCandidate(l *lookup, x *exchange.Exchange, d *sectionSettings) *candidate {
	c := &candidate{x: x, l: l, d: d, expires: field(x, "Expires"), modified: field(x, "Last-Modified"), tag: field(x, "ETag")}
	if _, err := http.ParseTime(c.modified); err != nil {
		c.modified = ""
	}
	r := &x.Res
	control, pragma := r.Always.Joined("Cache-Control"), r.Always.Joined("Pragma")
	if control == "" && pragma == "" {
		control, pragma = r.Header.Joined("Cache-Control"), r.Header.Joined("Pragma")
	}
	if r.Status == http.StatusNotModified && l.entry != nil && control == "" && pragma == "" {
		control, pragma = l.entry.Header.Joined("Cache-Control"), l.entry.Header.Joined("Pragma")
	}
	c.control, c.said = kept.Parse(control, pragma), control != ""
	return c
}

// field is a field of the answer, whichever list it is in.
func field(x *exchange.Exchange, name string) string {
	if v, ok := x.Res.Always.Lookup(name); ok {
		return v
	}
	return x.Res.Header.Get(name)
}

// refusal is why the answer is not kept, in httpd's words; "" when it is.
func (c *candidate) refusal() string {
	for _, rule := range rules {
		if reason := rule(c); reason != "" {
			return reason
		}
	}
	return ""
}

// rules are httpd's, in its order: the first that holds names the reason.
var rules = []func(*candidate) string{
	(*candidate).status,
	(*candidate).expired,
	(*candidate).staleForEver,
	(*candidate).queried,
	(*candidate).notModified,
	(*candidate).ageless,
	(*candidate).forbidden,
	(*candidate).personal,
	(*candidate).older,
	(*candidate).contradicting,
}

// keepable are the statuses that may be kept whatever the answer says (RFC 9110 section 15.1 has more).
func (c *candidate) status() string {
	switch c.x.Res.Status {
	case 200, 203, 206, 300, 301, 304:
		return ""
	}
	if c.expires != "" || c.said {
		return ""
	}
	return "Response status " + c.x.Arena.Int(int64(c.x.Res.Status))
}

// aged reports whether Cache-Control says how long the answer holds.
func (c *candidate) aged() bool { return c.control.Aged }

func (c *candidate) expired() string {
	if c.expires == "" || c.aged() || c.d.expired.Or(false) {
		return ""
	}
	t, err := http.ParseTime(c.expires)
	switch {
	case err != nil:
		return c.x.Arena.Join("Broken expires header: ", c.expires)
	case t.Before(c.x.Start):
		return "Expires header already expired; not cacheable"
	}
	return ""
}

func (c *candidate) staleForEver() string {
	k := &c.control
	none := k.SMaxAge == 0 || !k.Shared && k.MaxAge == 0
	if !c.d.expired.Or(false) && (k.MustRevalidate || k.ProxyRevalidate) && none && c.modified == "" && c.tag == "" {
		return "s-maxage or max-age zero and no Last-Modified or Etag; not cacheable"
	}
	return ""
}

func (c *candidate) queried() string {
	if !c.l.server.ignoreQuery.Or(false) && c.x.Req.HasQuery && c.expires == "" && !c.aged() {
		return "Query string present but no explicit expiration time"
	}
	return ""
}

func (c *candidate) notModified() string {
	if c.x.Res.Status == http.StatusNotModified && c.l.entry == nil {
		return "HTTP Status 304 Not Modified"
	}
	return ""
}

func (c *candidate) ageless() string {
	if c.x.Res.Status == 200 && c.modified == "" && c.tag == "" && c.expires == "" && !c.d.noLastModified.Or(false) && !c.aged() {
		return "No Last-Modified; Etag; Expires; Cache-Control:max-age or Cache-Control:s-maxage headers"
	}
	return ""
}

func (c *candidate) forbidden() string {
	k := &c.control
	switch {
	case k.NoStore && !c.d.noStore.Or(false):
		return "Cache-Control: no-store present"
	case k.Private && !c.d.private.Or(false):
		return "Cache-Control: private present"
	}
	return ""
}

func (c *candidate) personal() string {
	k := &c.control
	switch {
	case c.x.Req.Header.Has("Authorization") && !k.Shared && !k.MustRevalidate && !k.ProxyRevalidate && !k.Public:
		return "Authorization required"
	case exchange.Lists(c.x.Res.Header.Joined("Vary"), "*"), exchange.Lists(c.x.Res.Always.Joined("Vary"), "*"):
		return "Vary header contains '*'"
	case c.x.Env.Has("no-cache"):
		return "environment variable 'no-cache' is set"
	}
	return ""
}

// older: an answer that is older than the kept one does not replace it, which stays.
func (c *candidate) older() string {
	e := c.l.entry
	if t, err := http.ParseTime(c.x.Res.Header.Get("Date")); e != nil && err == nil && t.Before(e.Date) {
		c.l.keeps = true
		return "updated entity is older than cached entity"
	}
	return ""
}

func (c *candidate) contradicting() string {
	if c.x.Res.Status != http.StatusNotModified || c.l.entry == nil {
		return ""
	}
	names := c.l.entry.Differing(&c.x.Res.Header)
	if len(names) == 0 {
		return ""
	}
	return "contradiction: 304 Not Modified; but " + joinNames(names) + " modified"
}

func joinNames(names []string) string {
	out := names[0]
	for _, n := range names[1:] {
		out += ", " + n
	}
	return out
}
