package cache

import (
	"balancerd/proxy/exchange"
)

// outcome is what became of a look for a kept answer: its variable, and its word in X-Cache.
type outcome struct{ variable, word string }

var (
	hit         = outcome{"cache-hit", "HIT"}
	revalidated = outcome{"cache-revalidate", "REVALIDATE"}
	miss        = outcome{"cache-miss", "MISS"}
)

// tell sets the variables that logs may show, and the fields that are wanted in h (httpd: mod_cache.c cache_status).
// reason holds as long as x does.
func (c *settings) tell(x *exchange.Exchange, h *exchange.Header, d *sectionSettings, o outcome, reason string) {
	x.Env.Set(o.variable, reason)
	x.Env.Set("cache-status", reason)
	if d.header.Over(c.server.header).Or(false) {
		h.Set("X-Cache", x.Arena.Join(o.word, " from ", x.Server.Name))
	}
	if d.detail.Over(c.server.detail).Or(false) {
		h.Set("X-Cache-Detail", x.Arena.Join(`"`, reason, `" from `, x.Server.Name))
	}
}
