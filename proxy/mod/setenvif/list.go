package setenvif

import (
	"math/bits"
	"strings"
	"sync"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// list is the rules of a chain of scopes, in order, with what finds those that can match. Immutable but for scratch.
type list struct {
	rules   []rule
	batches []batch
	fields  []field
	scratch sync.Pool // of *[]lookup, one for each field
}

// batch is rules in a row that ask for the same attribute. It is looked at once: what the first of them sets, the others
// do not see (httpd: mod_setenvif.c match_headers).
type batch struct {
	rules []rule
	field int // whose rules they are; -1: of SetEnvIfExpr
	first int // index of the first of them in the field's set
}

// field is an attribute with all patterns that are held against it.
type field struct {
	of  func(*exchange.Exchange) string
	set *pattern.Set
}

// lookup is what one exchange's value of a field came to.
type lookup struct {
	value      string
	searched   bool
	candidates []uint64 // by index in the field's set
}

func newList(rules []rule) *list {
	l := &list{rules: rules}
	var patterns [][]*pattern.Pattern // by field
	known := map[string]int{}
	for from, to := 0, 0; from < len(rules); from = to {
		for to = from + 1; to < len(rules) && rules[to].same; to++ {
		}
		r := batch{rules: rules[from:to], field: -1}
		if first := &rules[from]; first.cond == nil {
			n, ok := known[first.attribute()]
			if !ok {
				n = len(l.fields)
				known[first.attribute()] = n
				l.fields, patterns = append(l.fields, field{of: first.of}), append(patterns, nil)
			}
			r.field, r.first = n, len(patterns[n])
			for i := range r.rules {
				patterns[n] = append(patterns[n], r.rules[i].re)
			}
		}
		l.batches = append(l.batches, r)
	}
	for i := range l.fields {
		l.fields[i].set = pattern.NewSet(patterns[i])
	}
	l.scratch.New = func() any {
		s := make([]lookup, len(l.fields))
		return &s
	}
	return l
}

// attribute is a name for what the rule looks at.
func (r *rule) attribute() string {
	if isFieldName(r.name) {
		return strings.ToLower(r.name)
	}
	if r.fold {
		return r.name + "\x00fold"
	}
	return r.name
}

// apply runs the rules in order. Of those that ask for a pattern, only the ones that can match the value are looked at.
func (l *list) apply(x *exchange.Exchange) {
	scratch := l.scratch.Get().(*[]lookup)
	for i := range l.batches {
		r := &l.batches[i]
		if r.field < 0 {
			r.rules[0].applyExpr(x)
			continue
		}
		v := &(*scratch)[r.field]
		v.search(&l.fields[r.field], x)
		r.apply(x, v)
	}
	for i := range *scratch {
		v := &(*scratch)[i]
		v.value, v.searched = "", false
	}
	poison.Put(&l.scratch, scratch)
}

// search looks at the field, and for the patterns that can match it unless its value is the one from before.
func (v *lookup) search(f *field, x *exchange.Exchange) {
	if value := f.of(x); !v.searched || value != v.value {
		v.value, v.searched = value, true
		v.candidates = f.set.Candidates(value, v.candidates)
	}
}

// apply runs the rules that can match.
func (r *batch) apply(x *exchange.Exchange, v *lookup) {
	end := r.first + len(r.rules)
	for at := r.first; at < end; {
		word := v.candidates[at/64] >> (at % 64)
		if word == 0 {
			at = (at/64 + 1) * 64
			continue
		}
		if at += bits.TrailingZeros64(word); at < end {
			r.rules[at-r.first].applyMatch(x, v.value)
		}
		at++
	}
}

// lists makes the list of each server once, for all chains that begin with it. It belongs to one load.
type lists struct {
	mu sync.Mutex
	of map[*directive.Scope]*list // by the innermost server scope with rules
}

// server is the list of the main server and a virtual host; nil when there are no rules.
func (s *lists) server(chain []*directive.Scope) *list {
	var last *directive.Scope
	for _, scope := range chain {
		if rules.Has(scope) {
			last = scope
		}
	}
	if last == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.of[last]
	if l == nil {
		l = newList(rules.Merged(chain...))
		s.of[last] = l
	}
	return l
}
