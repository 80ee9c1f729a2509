package upstream

import (
	"strings"

	"balancerd/proxy/exchange"
)

// Lines is the lines of one server outside of sections, compiled. They do not depend on who asks: virtual hosts
// share the main server's. Immutable.
type Lines struct {
	routes       []route
	early, late  lineTable // of mapping=encoded; the others
	destinations []*destination
}

// lineTable finds the first of some lines that is meant for a path, in the order of the file. Most lines are
// plain paths, which a tree knows; those in front of the one that it finds, and only those, are tried one by one.
type lineTable struct {
	paths  pathTable
	others []int32 // the lines that are no plain paths, in order
}

// NewLines compiles lines.
func NewLines(list []*Line) *Lines {
	l := &Lines{routes: make([]route, len(list))}
	slots := map[string]int32{}
	for i, line := range list {
		r := &l.routes[i]
		*r = newRoute(line)
		if line.Flags&MapEncoded != 0 {
			l.early.add(line, int32(i))
		} else {
			l.late.add(line, int32(i))
		}
		if r.dest == nil {
			continue
		}
		key := r.dest.site + r.dest.balancer
		slot, known := slots[key]
		if !known {
			slot = int32(len(l.destinations))
			slots[key] = slot
			l.destinations = append(l.destinations, r.dest)
		}
		r.slot, r.dest = slot, l.destinations[slot]
	}
	return l
}

func (t *lineTable) add(l *Line, i int32) {
	if l.plainPath() {
		t.paths.add(l.Path, i)
	} else {
		t.others = append(t.others, i)
	}
}

// shortList is up to how many lines, or workers of a site, a walk along them is quicker than a look into a table.
const shortList = 4

// walk is try without a table.
func (l *Lines) walk(encoded bool, x *exchange.Exchange, targets []target, vars bool) (decided *Line, err error) {
	for i := range l.routes {
		r := &l.routes[i]
		if encoded != (r.Flags&MapEncoded != 0) {
			continue
		}
		if found, err := r.try(x, &targets[r.slot], vars); found {
			return r.Line, err
		}
	}
	return nil, nil
}

// plainPath reports whether the line is for what is below a path that no request changes.
func (l *Line) plainPath() bool {
	return l.Pattern == nil && l.Flags&MapServlet == 0 && (l.Flags&Interpolate == 0 || !strings.Contains(l.Path, "${"))
}

func (t *lineTable) empty() bool { return !t.paths.some && len(t.others) == 0 }

// try maps the request by the first line that is meant for its path, which it returns; nil for none. With a nil error
// the line says that the path is not proxied.
func (l *Lines) try(t *lineTable, x *exchange.Exchange, targets []target, vars bool) (decided *Line, err error) {
	if len(l.routes) <= shortList {
		return l.walk(t == &l.early, x, targets, vars)
	}
	path := singleSlashes(x.Req.Path)
	first, covered := t.paths.first(path)
	for _, i := range t.others {
		if i > first {
			break
		}
		r := &l.routes[i]
		if found, err := r.try(x, &targets[r.slot], vars); found {
			return r.Line, err
		}
	}
	if first == noLine {
		return nil, nil
	}
	r := &l.routes[first]
	if r.Flags&(Interpolate|NoCanon) != 0 || len(path) < len(x.Req.Path) {
		_, err = r.try(x, &targets[r.slot], vars)
	} else {
		_, err = r.take(x, &targets[r.slot], covered)
	}
	return r.Line, err
}
