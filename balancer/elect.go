package balancer

import (
	"slices"
	"time"
)

// methodData is what a method's Data brought.
type methodData struct {
	data any
	err  error
}

// loadMethodData asks the method for what it must know of the world. Outside the lock: it may read files.
func (b *Balancer) loadMethodData(now time.Time) (d methodData) {
	if m := b.method.Load(); m.Data != nil {
		if d.data, d.err = m.Data(now); d.err != nil {
			d.err = &MethodDataError{m.Name, d.err}
		}
	}
	return d
}

// elect has the method pick for a request of client c and session s. Under group.mu.
func (b *Balancer) elect(c Client, s *session, d *methodData, now time.Time) (*Worker, error) {
	list := b.group.list()
	if len(list) == 0 {
		return nil, ErrNoWorkers
	}
	if d.err != nil {
		return nil, d.err
	}
	p := &b.group.pick
	p.Key, p.Client, p.Data = s.route, c, d.data
	w := b.group.best(b.method.Load(), list, now)
	p.Key, p.Client = "", nil // the request's memory is about to be used again
	if w == nil {
		return nil, ErrAllInError
	}
	w.elected++
	return w, nil
}

// best goes from set to set until one has candidates (httpd: proxy_util.c
// proxy_balancer_get_best_worker).
func (g *group) best(m *Method, list []*Worker, now time.Time) *Worker {
	if g.index != nil {
		if w := g.pickIndexed(m, now); w != nil {
			return w
		}
		g.writeOut()
	}
	if m.Whole {
		g.gatherWhole(list, now)
		return g.ask(m)
	}
	for set := int32(0); set >= 0; {
		next := g.gather(list, set, now)
		if w := g.ask(m); w != nil {
			if len(list) >= many {
				g.walked(m, set, now)
			}
			return w
		}
		set = next
	}
	return nil
}

func (g *group) ask(m *Method) *Worker {
	if len(g.pick.Candidates) == 0 {
		return nil
	}
	return m.Best(&g.pick)
}

// gather makes the usable members of one set the candidates, with one spare for each member that is
// missing, or, when there are none, the standbys. It returns the next higher set, -1 after the
// last.
func (g *group) gather(list []*Worker, set int32, now time.Time) (next int32) {
	g.pick.Candidates, g.spares, g.standbys = g.pick.Candidates[:0], g.spares[:0], g.standbys[:0]
	next = -1
	missing := 0
	for _, w := range list {
		switch {
		case w.lbset != set:
			if w.lbset > set && (next < 0 || w.lbset < next) {
				next = w.lbset
			}
		case w.Status() == Init:
			g.pick.Candidates = append(g.pick.Candidates, w)
		default:
			missing += g.classify(w, now)
		}
	}
	g.pick.Candidates = append(g.pick.Candidates, g.spares[:min(missing, len(g.spares))]...)
	if len(g.pick.Candidates) == 0 {
		g.pick.Candidates = append(g.pick.Candidates, g.standbys...)
	}
	return next
}

// classify puts w into the list that its condition asks for, and returns 1 if a spare may take its place. A member that
// drains is missing, but a spare or standby that drains is not.
func (g *group) classify(w *Worker, now time.Time) (missing int) {
	reserve := w.has(Spare | Standby)
	if w.has(Draining) {
		if reserve {
			return 0
		}
		return 1
	}
	usable := w.retryAt(now)
	switch {
	case !usable && reserve:
	case !usable:
		return 1
	case w.has(Spare):
		g.spares = append(g.spares, w)
	case w.has(Standby):
		g.standbys = append(g.standbys, w)
	default:
		g.pick.Candidates = append(g.pick.Candidates, w)
	}
	return 0
}

// gatherWhole makes all usable members candidates.
func (g *group) gatherWhole(list []*Worker, now time.Time) {
	g.pick.Candidates = g.pick.Candidates[:0]
	for _, w := range list {
		if w.retryAt(now) {
			g.pick.Candidates = append(g.pick.Candidates, w)
		}
	}
}

// routed finds the usable member of a route, or else of the route that it redirects to; standbys
// come last, sets do not matter (httpd: mod_proxy_balancer.c find_route_worker). Under g.mu.
func (g *group) routed(route string, now time.Time) *Worker {
	g.round++
	return g.route(route, now)
}

func (g *group) route(route string, now time.Time) *Worker {
	list := g.withRoute(route)
	for _, standby := range [...]bool{false, true} {
		for _, w := range list {
			if w.route != route || w.has(Standby) != standby {
				continue
			}
			if w.retryAt(now) {
				return w
			}
			if r := g.redirected(w, now); r != nil {
				return r
			}
		}
	}
	return nil
}

// redirected follows w's redirect=. A member that was asked before in this search could only answer
// the same, so that circles end.
func (g *group) redirected(w *Worker, now time.Time) *Worker {
	to := w.settings.Load().Redirect
	if to == "" || w.searched == g.round {
		return nil
	}
	w.searched = g.round
	return g.route(to, now)
}

// hasRoute reports whether a member has that route, in whatever condition.
func (g *group) hasRoute(route string) bool {
	return slices.ContainsFunc(g.withRoute(route), func(w *Worker) bool { return w.route == route })
}

// withRoute is the members among which those of a route are, in order: all, or of many members just these.
func (g *group) withRoute(route string) []*Worker {
	list := g.list()
	if len(list) < many {
		return list
	}
	if g.byRoute == nil {
		g.byRoute = make(map[string][]*Worker, len(list))
		for _, w := range list {
			g.byRoute[w.route] = append(g.byRoute[w.route], w)
		}
	}
	return g.byRoute[route]
}
