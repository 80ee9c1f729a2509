package balancer

import "strings"

// Covers tells how well a worker with this address serves url: the length of its name when that is a
// prefix of url that reaches at least to the path, -1 when not. Scheme and host of url may be in any
// case, its path not; there is no rule of segments: "http://h/foo" covers "http://h/foobar". With Match,
// $0 to $9 in the name stand for any text, in the host too, where the name need not reach to the path
// then (Varies); but url must be at least as long as the name. url has no "unix:" part. Costs no
// allocation (httpd: proxy_util.c ap_proxy_get_worker_ex, since 2.4.63 for hosts).
func (a *Address) Covers(url string) int {
	site, name := siteEnd(url), a.URL
	if site < 0 || len(name) > len(url) || len(name) < site && !(a.Match && a.Varies) {
		return -1
	}
	if a.Match {
		if matchName(url, site, 0, name) == matched {
			return len(name)
		}
		return -1
	}
	for i := 0; i < len(name); i++ {
		if folded(url, i, site) != name[i] {
			return -1
		}
	}
	return len(name)
}

// Longest finds the worker whose name is the longest that covers url, the first of equal ones; nil
// for none. A "unix:" part of url is passed over.
func Longest(workers []*Worker, url string) *Worker {
	if _, u, ok := cutSocket(url); ok {
		url = u
	}
	var best *Worker
	most := -1
	for _, w := range workers {
		if n := w.addr.Covers(url); n > most {
			best, most = w, n
		}
	}
	return best
}

// siteEnd is where scheme://host[:port] ends, -1 when there is none.
func siteEnd(url string) int {
	i := strings.IndexByte(url, ':')
	if i < 0 || len(url) < i+4 || url[i+1] != '/' || url[i+2] != '/' {
		return -1
	}
	if end := strings.IndexByte(url[i+3:], '/'); end >= 0 {
		return i + 3 + end
	}
	return len(url)
}

// folded is byte i of url, in lower case when it lies before site.
func folded(url string, i, site int) byte {
	c := url[i]
	if i < site && 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// The outcomes of matchName: exhausted says that no later start can match either, which keeps many
// references from costing exponential time.
const (
	matched = iota
	differs
	exhausted
)

// matchName matches the beginning of url[x:] with pattern, where $0 to $9 stand for any text and a
// backslash for the character after it (httpd: proxy_util.c ap_proxy_strcmp_ematch).
func matchName(url string, site, x int, pattern string) int {
	for y := 0; y < len(pattern); x, y = x+1, y+1 {
		if isReference(pattern[y:]) {
			return matchReference(url, site, x, pattern[y:])
		}
		if pattern[y] == '\\' {
			y++
		}
		switch {
		case x >= len(url) || y == len(pattern):
			return exhausted
		case folded(url, x, site) != pattern[y]:
			return differs
		}
	}
	return matched
}

// matchReference matches url[x:] with a pattern that begins with references.
func matchReference(url string, site, x int, pattern string) int {
	for isReference(pattern) {
		pattern = pattern[2:]
	}
	if pattern == "" {
		return matched
	}
	for ; x < len(url); x++ {
		if r := matchName(url, site, x, pattern); r != differs {
			return r
		}
	}
	return exhausted
}
