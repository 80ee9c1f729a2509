package site

import (
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/internal/prefix"
)

// list is the sections of one kind that a server has directly inside, in the order in which they are tried.
// Sections whose argument is literal are found by a tree once they are many.
type list struct {
	all      []section
	literals *prefix.Tree[[]int32] // the indices of those with a literal argument; nil while they are few
	others   []int32               // of all that are not in the tree; unused without one
}

// fewLiterals is up to how many literal arguments are compared one by one, which is as fast.
const fewLiterals = 8

// index makes the tree when it pays.
func (l *list) index() {
	n := 0
	for i := range l.all {
		if l.all[i].literal() {
			n++
		}
	}
	if n <= fewLiterals {
		return
	}
	l.literals = &prefix.Tree[[]int32]{}
	for i := range l.all {
		if s := &l.all[i]; s.literal() {
			at := l.literals.At(s.scope.Arg)
			*at = append(*at, int32(i))
		} else {
			l.others = append(l.others, int32(i))
		}
	}
}

// literal reports whether whatever the section covers begins with its argument.
func (s *section) literal() bool {
	arg := s.scope.Arg
	if s.regex != nil || pattern.IsShell(arg) {
		return false
	}
	return s.scope.Kind != directive.Directory || strings.HasPrefix(arg, "/") && arg != "/" // the root covers a name of which nothing is left, too
}

// candidates are the sections of a list that may cover a text, in order.
type candidates struct {
	list *list
	hits []int32 // those that the tree found and that are still to come
	i    int     // of the next of the others, or of all without a tree
}

// candidates looks a text up. found is memory for what the tree finds.
func (l *list) candidates(text string, found []int32) candidates {
	if l.literals == nil {
		return candidates{list: l}
	}
	l.literals.Each(text, func(_ int, at *[]int32) { found = append(found, *at...) })
	slices.Sort(found)
	return candidates{list: l, hits: found}
}

// peek is the next section; nil behind the last one.
func (c *candidates) peek() *section {
	if i := c.index(); i >= 0 {
		return &c.list.all[i]
	}
	return nil
}

// index is the next section's in the list; -1 behind the last one.
func (c *candidates) index() int {
	l := c.list
	switch {
	case l.literals == nil:
		if c.i < len(l.all) {
			return c.i
		}
		return -1
	case len(c.hits) > 0 && (c.i == len(l.others) || c.hits[0] < l.others[c.i]):
		return int(c.hits[0])
	case c.i < len(l.others):
		return int(l.others[c.i])
	}
	return -1
}

// skip goes on behind the next section.
func (c *candidates) skip() {
	if c.list.literals != nil && len(c.hits) > 0 && c.index() == int(c.hits[0]) {
		c.hits = c.hits[1:]
		return
	}
	c.i++
}

// next is peek and skip.
func (c *candidates) next() *section {
	s := c.peek()
	if s != nil {
		c.skip()
	}
	return s
}
