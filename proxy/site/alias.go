package site

import (
	"strings"

	"balancerd/apacheconf/pattern"
	"balancerd/proxy/internal/prefix"
)

// wildcards are the names with * and ? of a group's hosts, by what they end with and begin with literally: a
// name is compared only with those that share both with it.
type wildcards struct {
	bySuffix prefix.Tree[prefix.Tree[[]wildName]] // the suffixes reversed; each list is in file order
	some     bool
}

type wildName struct {
	pattern string
	host    int // its index in the group
}

// special are the characters that mean something in a pattern.
const special = `*?[]\`

// add takes a host's name in. Hosts come in file order.
func (w *wildcards) add(name string, host int) {
	begin, end := strings.IndexAny(name, special), strings.LastIndexAny(name, special)
	list := w.bySuffix.At(prefix.Reversed(name[end+1:])).At(name[:begin])
	*list = append(*list, wildName{name, host})
	w.some = true
}

// first is the first host before another one that has the name by a wildcard; that other one when there is
// none.
func (w *wildcards) first(name string, before int) int {
	if !w.some {
		return before
	}
	w.bySuffix.EachSuffix(name, func(_ int, t *prefix.Tree[[]wildName]) {
		t.Each(name, func(_ int, list *[]wildName) {
			for _, c := range *list {
				if c.host >= before {
					return
				}
				if pattern.Shell(c.pattern, name, 0) {
					before = c.host
				}
			}
		})
	})
	return before
}
