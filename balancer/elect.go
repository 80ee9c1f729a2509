package balancer

import "time"

// news is what a method's News brought.
type news struct {
	facts any
	err   error
}

// news asks the method for what it must know of the world. Outside the lock: it may read files.
func (b *Balancer) news(now time.Time) (n news) {
	if m := b.method.Load(); m.News != nil {
		if n.facts, n.err = m.News(now); n.err != nil {
			n.err = &NewsError{m.Name, n.err}
		}
	}
	return n
}

// elect has the method pick. Under group.mu.
func (b *Balancer) elect(n news, now time.Time) (*Worker, error) {
	list := b.group.list()
	if len(list) == 0 {
		return nil, ErrNoWorkers
	}
	if n.err != nil {
		return nil, n.err
	}
	w := b.group.best(b.method.Load(), list, n.facts, now)
	if w == nil {
		return nil, ErrAllInError
	}
	w.elected++
	return w, nil
}

// best goes from set to set until one has candidates (httpd: proxy_util.c
// proxy_balancer_get_best_worker).
func (g *group) best(m *Method, list []*Worker, facts any, now time.Time) *Worker {
	if m.Whole {
		g.gatherWhole(list, now)
		return g.ask(m, facts)
	}
	for set := int32(0); set >= 0; {
		next := g.gather(list, set, now)
		if w := g.ask(m, facts); w != nil {
			return w
		}
		set = next
	}
	return nil
}

func (g *group) ask(m *Method, facts any) *Worker {
	if len(g.candidates) == 0 {
		return nil
	}
	return m.Best(g.candidates, facts)
}

// gather makes the usable members of one set the candidates, with one spare for each member that is
// missing, or, when that is nobody, with the standbys. It returns the next higher set, -1 after the
// last.
func (g *group) gather(list []*Worker, set int32, now time.Time) (next int32) {
	g.candidates, g.spares, g.standbys = g.candidates[:0], g.spares[:0], g.standbys[:0]
	next = -1
	missing := 0
	for _, w := range list {
		switch {
		case w.lbset != set:
			if w.lbset > set && (next < 0 || w.lbset < next) {
				next = w.lbset
			}
		case w.Status() == Init:
			g.candidates = append(g.candidates, w)
		default:
			missing += g.sort(w, now)
		}
	}
	g.candidates = append(g.candidates, g.spares[:min(missing, len(g.spares))]...)
	if len(g.candidates) == 0 {
		g.candidates = append(g.candidates, g.standbys...)
	}
	return next
}

// sort puts w where its condition says, and returns 1 if a spare may take its place. A member that
// drains is missing, but a spare or standby that drains is not.
func (g *group) sort(w *Worker, now time.Time) (missing int) {
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
		g.candidates = append(g.candidates, w)
	}
	return 0
}

// gatherWhole makes all usable members candidates.
func (g *group) gatherWhole(list []*Worker, now time.Time) {
	g.candidates = g.candidates[:0]
	for _, w := range list {
		if w.retryAt(now) {
			g.candidates = append(g.candidates, w)
		}
	}
}

// routed finds the usable member of a route, or else of the route that it redirects to; standbys
// come last, sets do not matter (httpd: mod_proxy_balancer.c find_route_worker). Under g.mu.
func (g *group) routed(route string, now time.Time) *Worker {
	g.round++
	return g.route(g.list(), route, now)
}

func (g *group) route(list []*Worker, route string, now time.Time) *Worker {
	for _, standby := range [...]bool{false, true} {
		for _, w := range list {
			if w.route != route || w.has(Standby) != standby {
				continue
			}
			if w.retryAt(now) {
				return w
			}
			if r := g.redirected(list, w, now); r != nil {
				return r
			}
		}
	}
	return nil
}

// redirected follows w's redirect=. A member that was asked before in this search could only answer
// the same, so that circles end.
func (g *group) redirected(list []*Worker, w *Worker, now time.Time) *Worker {
	to := w.settings.Load().Redirect
	if to == "" || w.asked == g.round {
		return nil
	}
	w.asked = g.round
	return g.route(list, to, now)
}

// hasRoute tells whether a member has that route, in whatever condition.
func hasRoute(list []*Worker, route string) bool {
	for _, w := range list {
		if w.route == route {
			return true
		}
	}
	return false
}

// charge counts a pick that the method did not make: all usable members earn their factor, w pays
// for all (httpd: mod_proxy_balancer.c proxy_balancer_pre_request).
func charge(list []*Worker, w *Worker) {
	var total int64
	for _, o := range list {
		if o.Usable() {
			o.load += o.factor
			total += o.factor
		}
	}
	w.load -= total
	w.elected++
}
