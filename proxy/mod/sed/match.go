package sed

import "bytes"

// match is a search for an expression in a line (httpd: regexp.c sed_step). The longest repetition is tried first, and
// nothing else: the first match that is found is the one.
type match struct {
	text       []byte
	from       int // where the search began; behind a replacement nothing that repeats may find nothing just there
	behind     bool
	begin, end int
	first      int // the first place at which it was tried, or notTried
	groups     [mostGroups]struct{ begin, end int }
	m          *machine // counts what it costs
}

const notTried = -1

// find looks for e in the text from a place on.
func (s *match) find(e *expr, at int) bool {
	s.from, s.first = at, notTried
	if e.anchored {
		s.begin = at
		return s.try(e.nodes, at)
	}
	for ; at <= len(s.text) && !s.m.spent(); at++ {
		if len(e.prefix) > 0 {
			if at = s.index(e.prefix, at); at < 0 {
				return false
			}
		}
		if s.first == notTried {
			s.first = at
		}
		s.begin = at
		if s.try(e.nodes, at) {
			return true
		}
	}
	return false
}

// How many bytes are searched, and looked at one by one, between two counts.
const (
	searchSize  = 64 << 10
	stretchSize = 4 << 10
)

// index is where a prefix begins next, from a place on; -1: nowhere, or too much was done.
func (s *match) index(prefix []byte, at int) int {
	for !s.m.spent() {
		end := min(at+searchSize+len(prefix)-1, len(s.text))
		i := bytes.Index(s.text[at:end], prefix)
		switch {
		case i >= 0:
			s.m.spend(i / bytesAStep)
			return at + i
		case end == len(s.text):
			s.m.spend((end - at) / bytesAStep)
			return -1
		}
		s.m.spend(searchSize / bytesAStep)
		at += searchSize
	}
	return -1
}

// next is where another search may begin after one that found nothing, when more was added at the text's end.
func (s *match) next(e *expr) int {
	at := s.first
	switch {
	case e.width != anyWidth:
		at = len(s.text) - e.width + 1
	case at == notTried:
		at = len(s.text) - len(e.prefix) + 1
	}
	return min(max(at, 0), len(s.text))
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
			if !s.repeats(at, again) {
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
	end := s.stretch(n, at)
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

// stretch is where what a node finds at a place ends at the latest.
func (s *match) stretch(n *node, at int) int {
	end, counted := at, at
	for end-at < n.more && n.finds(s.text, end) && !s.m.spent() {
		if end++; end-counted == stretchSize {
			s.m.spend(end - counted)
			counted = end
		}
	}
	s.m.spend(end - counted)
	return end
}

// repeats reports whether a text stands at a place once more.
func (s *match) repeats(at int, text []byte) bool {
	if len(s.text)-at < len(text) {
		return false
	}
	s.m.spend(len(text) / bytesAStep)
	return bytes.HasPrefix(s.text[at:], text)
}

// again is many for what a group found.
func (s *match) again(rest []node, at int, text []byte) bool {
	end := at
	for len(text) > 0 && s.repeats(end, text) && !s.m.spent() {
		s.m.spend(1)
		end += len(text)
	}
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
