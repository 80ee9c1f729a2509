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
	paths  prefixTree
	others []int32 // the lines that are no plain paths, in order
}

// NewLines compiles lines.
func NewLines(list []*Line) *Lines {
	l := &Lines{routes: make([]route, len(list))}
	slots := map[string]int32{}
	var early, late lineSorter
	for i, line := range list {
		r := &l.routes[i]
		*r = newRoute(line)
		if line.Flags&MapEncoded != 0 {
			early.add(line, int32(i))
		} else {
			late.add(line, int32(i))
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
	l.early, l.late = early.table(), late.table()
	return l
}

// lineSorter gathers the lines of a table.
type lineSorter struct {
	paths  []prefixLine
	others []int32
}

func (s *lineSorter) add(l *Line, i int32) {
	switch {
	case !l.plainPath():
		s.others = append(s.others, i)
	case strings.HasPrefix(l.Path, "/"): // others cover nothing
		s.paths = append(s.paths, prefixLine{singleSlashes(l.Path), i})
	}
}

func (s *lineSorter) table() lineTable { return lineTable{newPrefixTree(s.paths), s.others} }

// plainPath reports whether the line is for what is below a path that no request changes.
func (l *Line) plainPath() bool {
	return l.Pattern == nil && l.Flags&MapServlet == 0 && (l.Flags&Interpolate == 0 || !strings.Contains(l.Path, "${"))
}

func (t *lineTable) empty() bool { return len(t.paths.nodes) == 0 && len(t.others) == 0 }

// try maps the request by the first line that is meant for its path; see route.try for what comes back.
func (l *Lines) try(t *lineTable, x *exchange.Exchange, targets []target, vars bool) (found bool, err error) {
	first, covered := t.paths.first(x.Req.Path)
	for _, i := range t.others {
		if i > first {
			break
		}
		r := &l.routes[i]
		if found, err := r.try(x, &targets[r.slot], vars); found || err != nil {
			return found, err
		}
	}
	if first == noLine {
		return false, nil
	}
	r := &l.routes[first]
	if r.Flags&(Interpolate|NoCanon) != 0 {
		return r.try(x, &targets[r.slot], vars)
	}
	return r.take(x, &targets[r.slot], covered)
}
