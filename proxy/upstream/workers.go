package upstream

import (
	"slices"
	"strings"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// Workers is the workers of one server that belong to no balancer, by the URLs that they may serve: of those
// whose name covers a URL the one with the longest name serves it, of two such the earlier (balancer.Longest).
// Immutable; virtual hosts share the main server's.
type Workers struct {
	sites    memo[string, *siteIndex]
	anywhere []candidate // in whose names a reference, "$1", stands in front of the path: any site may be theirs
}

// siteIndex is the workers of one scheme://host:port, by what is certain of their paths.
type siteIndex struct {
	lengths  []int // of these paths, the longest first
	byPath   map[string][]candidate
	patterns bool     // references stand in some names
	few      []listed // instead of these: a short list without patterns, the longest path first
}

// listed is a worker by its path.
type listed struct {
	path   string
	worker *balancer.Worker
}

// candidate is a worker that may serve a URL.
type candidate struct {
	worker  *balancer.Worker
	order   int  // in the configuration
	pattern bool // the whole name must be compared: a reference or a backslash stands in it
}

// NewWorkers is the table of these workers, in the order of the configuration.
func NewWorkers(list []*balancer.Worker) *Workers {
	w := &Workers{}
	for i, worker := range list {
		w.add(candidate{worker: worker, order: i})
	}
	for s := range w.sites.all() {
		slices.SortFunc(s.lengths, func(a, b int) int { return b - a })
		if len(w.anywhere) == 0 {
			s.listFew()
		}
	}
	return w
}

func (w *Workers) add(c candidate) {
	name := c.worker.URL()
	if c.worker.Address().Match {
		if i := strings.IndexAny(name, `$\`); i >= 0 {
			name, c.pattern = name[:i], true
		}
	}
	length := siteLength(name)
	if c.pattern && length == len(name) {
		w.anywhere = append(w.anywhere, c)
		return
	}
	site := name[:length]
	if c.worker.Address().Scheme == "uwsgi" { // its name has the standard port when it was written
		site = strings.TrimSuffix(site, ":3031")
	}
	s, known := w.sites.get(site)
	if !known {
		s = &siteIndex{byPath: map[string][]candidate{}}
		w.sites.put(site, s)
	}
	path := name[length:]
	if !slices.Contains(s.lengths, len(path)) {
		s.lengths = append(s.lengths, len(path))
	}
	s.byPath[path] = append(s.byPath[path], c)
	s.patterns = s.patterns || c.pattern
}

// listFew puts a short list in the place of the table of a site that has few paths.
func (s *siteIndex) listFew() {
	if s.patterns || len(s.byPath) > shortList {
		return
	}
	for path, list := range s.byPath {
		s.few = append(s.few, listed{path, list[0].worker})
	}
	slices.SortFunc(s.few, func(a, b listed) int { return len(b.path) - len(a.path) })
	s.few, s.byPath, s.lengths = slices.Clip(s.few), nil, nil
}

// siteLength is how much of a worker's name lies in front of its path.
func siteLength(name string) int {
	start := strings.Index(name, "://")
	if start < 0 {
		return len(name)
	}
	start += len("://")
	if i := strings.IndexByte(name[start:], '/'); i >= 0 {
		return start + i
	}
	return len(name)
}

// siteWorkers is the workers of a site that requests of one server may use: those of the main server and, where
// it has its own as well, of the virtual host. It remembers the site so that a request looks for its worker only.
type siteWorkers struct {
	lists [2]*Workers // nil: none
	sites [2]*siteIndex
}

// at is the workers of a site.
func (u *Upstreams) at(name string) (s siteWorkers) {
	for i, w := range u.Workers {
		s.lists[i] = w
		s.sites[i], _ = w.sites.get(name)
	}
	return s
}

// longest is the worker for a request target of the site; nil when none covers it.
func (s *siteWorkers) longest(a *exchange.Arena, name, target string) *balancer.Worker {
	var best *balancer.Worker
	if s.lists[1] == nil && s.lists[0] != nil {
		return s.lists[0].longest(s.sites[0], a, name, target)
	}
	for i, w := range s.lists {
		if w == nil {
			continue
		}
		if c := w.longest(s.sites[i], a, name, target); c != nil && (best == nil || len(c.URL()) > len(best.URL())) {
			best = c
		}
	}
	return best
}

func (w *Workers) longest(s *siteIndex, a *exchange.Arena, name, target string) *balancer.Worker {
	if len(w.anywhere) > 0 || s != nil && s.patterns {
		return w.longestPattern(s, a.Join(name, target))
	}
	if s == nil {
		return nil
	}
	for _, f := range s.few {
		if strings.HasPrefix(target, f.path) {
			return f.worker
		}
	}
	if s.few != nil {
		return nil
	}
	for _, n := range s.lengths {
		if n <= len(target) {
			if list := s.byPath[target[:n]]; list != nil {
				return list[0].worker
			}
		}
	}
	return nil
}

// longestPattern is longest where names have references: a short certain part may be that of a long name.
func (w *Workers) longestPattern(s *siteIndex, url string) *balancer.Worker {
	var best candidate
	best.see(w.anywhere, url)
	if s != nil {
		path := url[siteLength(url):]
		for _, n := range s.lengths {
			if n <= len(path) {
				best.see(s.byPath[path[:n]], url)
			}
		}
	}
	return best.worker
}

// see puts in c's place what of a list covers the URL better.
func (c *candidate) see(list []candidate, url string) {
	for _, o := range list {
		if c.worker != nil {
			if d := len(o.worker.URL()) - len(c.worker.URL()); d < 0 || d == 0 && o.order > c.order {
				continue
			}
		}
		if !o.pattern || o.worker.Covers(url) {
			*c = o
		}
	}
}

// serving is the workers that may serve a request.
func (u *Upstreams) serving(p *proxyState) *siteWorkers {
	if p.destination() != nil {
		return &p.to.workers
	}
	p.workers = u.at(p.site)
	return &p.workers
}
