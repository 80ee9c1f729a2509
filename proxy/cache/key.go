package cache

import (
	"strings"
)

// Place is what a server's answers are kept under.
type Place struct {
	Scheme, Host string // "http", "example.com"
	Port         string // ":80"; "" for none (CacheKeyBaseURL without a port)
	IgnoreQuery  bool   // CacheIgnoreQueryString
	IgnoreIDs    []string
}

// Key is what the answer of a path and its query is kept under, e.g. "http://example.com:80/a?b=c" (httpd:
// cache_storage.c cache_canonicalise_key). Of a query the "?" stays alone.
func (p *Place) Key(path, query string) string {
	if p.IgnoreQuery {
		query = ""
	}
	for _, id := range p.IgnoreIDs {
		path, query = withoutID(path, query, id)
	}
	return p.Scheme + "://" + p.Host + p.Port + path + "?" + query
}

// withoutID takes ";id=…" from the end of a path, or else "id=…" out of a query.
func withoutID(path, query, id string) (string, string) {
	if i := strings.LastIndexByte(path, ';'); i >= 0 {
		if v, ok := strings.CutPrefix(path[i+1:], id+"="); ok && !strings.Contains(v, "/") {
			return path[:i], query
		}
	}
	at := 0
	if !strings.HasPrefix(query, id+"=") {
		if at = strings.Index(query, "&"+id+"="); at < 0 {
			return path, query
		}
		at++
	}
	before, after := query[:at], query[at:]
	if _, rest, more := strings.Cut(after, "&"); more {
		return path, before + rest
	}
	return path, strings.TrimSuffix(before, "&")
}
