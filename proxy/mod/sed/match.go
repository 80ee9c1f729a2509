package sed

import "bytes"

// match is a search for an expression in a line (httpd: regexp.c sed_step). The longest repetition is tried first, and
// nothing else: the first match that is found is the one.
type match struct {
	text       []byte
	from       int // where the search began; behind a replacement nothing that repeats may find nothing just there
	behind     bool
	begin, end int
	groups     [mostGroups]struct{ begin, end int }
	m          *machine // counts what it costs
}

// find looks for e in the text from a place on.
func (s *match) find(e *expr, at int) bool {
	s.from = at
	if e.anchored {
		s.begin = at
		return s.try(e.nodes, at)
	}
	for ; at <= len(s.text) && !s.m.spent(); at++ {
		if len(e.prefix) > 0 {
			i := bytes.Index(s.text[at:], e.prefix)
			if i < 0 {
				return false
			}
			s.m.spend(i / bytesAStep)
			at += i
		}
		s.begin = at
		if s.try(e.nodes, at) {
			return true
		}
	}
	return false
}

// try reports whether the nodes find something at a place, and where it ends.
func (s *match) try(nodes []node, at int) bool {
	for i := range nodes {
		n := &nodes[i]
		if s.m.spend(1); s.m.spent() {
			return false
		}
		switch {
		case n.kind == groupBegin:
			s.groups[n.b].begin = at
		case n.kind == groupEnd:
			s.groups[n.b].end = at
		case n.kind == lineEnd:
			if at < len(s.text) {
				return false
			}
		case n.kind == groupAgain:
			g := s.groups[n.b]
			again := s.text[g.begin:g.end]
			if n.many {
				return s.again(nodes[i+1:], at, again)
			}
			if !bytes.HasPrefix(s.text[at:], again) {
				return false
			}
			at += len(again)
		case n.many:
			return s.many(n, nodes[i+1:], at)
		default:
			if !n.finds(s.text, at) {
				return false
			}
			at++
		}
	}
	s.end = at
	return true
}

// finds reports whether a node that is about one byte finds it at a place.
func (n *node) finds(text []byte, at int) bool {
	if at >= len(text) {
		return false
	}
	switch n.kind {
	case oneByte:
		return text[at] == n.b
	case oneOf:
		return n.set[text[at]]
	}
	return true
}

// many has a node find as much as it can, and less and less until the rest finds something, too.
func (s *match) many(n *node, rest []node, at int) bool {
	for range n.least {
		if !n.finds(s.text, at) {
			return false
		}
		at++
	}
	end := at
	for end-at < n.more && n.finds(s.text, end) {
		end++
	}
	s.m.spend(end - at)
	for ; end >= at; end-- {
		if s.behind && end == s.from || s.m.spent() {
			return false
		}
		if s.try(rest, end) {
			return true
		}
	}
	return false
}

// again is many for what a group found.
func (s *match) again(rest []node, at int, text []byte) bool {
	end := at
	for len(text) > 0 && bytes.HasPrefix(s.text[end:], text) {
		end += len(text)
	}
	s.m.spend(end - at)
	for ; end >= at; end -= len(text) {
		if s.try(rest, end) {
			return true
		}
		if len(text) == 0 || s.m.spent() {
			break
		}
	}
	return false
}
