package proxy

import (
	"balancerd/proxy/upstream"
	"slices"
	"strings"
)

// workerKind says which workers a search looks at: those of ProxyPass, of ProxyPassMatch, or both.
type workerKind uint8

const (
	prefixWorkers workerKind = 1 << iota
	matchWorkers
	anyWorker = prefixWorkers | matchWorkers
)

func kindOf(match bool) workerKind {
	if match {
		return matchWorkers
	}
	return prefixWorkers
}

// workerList is workers in the order of the file, which are found by the URLs that they cover.
type workerList struct {
	all []*worker

	// Of a list that is not short.
	starts  map[string][]numbered // by what is certain of their names: up to "$1" in those of ProxyPassMatch
	lengths []int                 // of these texts
}

type numbered struct {
	*worker
	order int
}

// shortList is up to how many workers are looked at one by one.
const shortList = 8

func (l *workerList) add(w *worker) {
	l.all = append(l.all, w)
	switch {
	case len(l.all) < shortList:
	case l.starts == nil:
		l.starts = map[string][]numbered{}
		for i, w := range l.all {
			l.index(numbered{w, i})
		}
	default:
		l.index(numbered{w, len(l.all) - 1})
	}
}

func (l *workerList) index(w numbered) {
	start := w.URL
	if w.Match {
		if i := strings.IndexAny(start, `$\`); i >= 0 {
			start = start[:i]
		}
	}
	l.starts[start] = append(l.starts[start], w)
	if !slices.Contains(l.lengths, len(start)) {
		l.lengths = append(l.lengths, len(start))
	}
}

// find is the worker with the longest name that covers a URL without "unix:"; of two the earlier.
func (l *workerList) find(url string, kinds workerKind) *worker {
	f := workerSearch{url: url, kinds: kinds, most: -1}
	if l.starts == nil {
		for i, w := range l.all {
			f.see(numbered{w, i})
		}
		return f.best.worker
	}
	start := lowerSite(url)
	for _, n := range l.lengths {
		if n <= len(start) {
			for _, w := range l.starts[start[:n]] {
				f.see(w)
			}
		}
	}
	return f.best.worker
}

// workerSearch is a find under way.
type workerSearch struct {
	url   string
	kinds workerKind
	best  numbered
	most  int // how much of the URL it covers
}

func (f *workerSearch) see(w numbered) {
	if kindOf(w.Match)&f.kinds == 0 {
		return
	}
	if n := w.Covers(f.url); n > f.most || n >= 0 && n == f.most && w.order < f.best.order {
		f.best, f.most = w, n
	}
}

// lowerSite is a URL with scheme and host in lower case.
func lowerSite(url string) string {
	scheme, authority, ok := upstream.SplitURL(url)
	if !ok {
		return url
	}
	n := len(scheme) + len("://") + len(authority)
	return strings.ToLower(url[:n]) + url[n:]
}
