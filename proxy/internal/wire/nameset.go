package wire

import "strings"

// NameSet is a set of names without regard to the case of ASCII letters, in the order in which they came. A
// few are looked through one by one; more, which a member may send by the thousand, by a table. The zero
// value is ready.
type NameSet struct {
	list  []string
	table map[string]struct{} // nil while there are few
}

// fewNames is how many names are looked through one by one.
const fewNames = 16

// NameSetOn is an empty set that keeps its first names in the given storage.
func NameSetOn(storage []string) NameSet { return NameSet{list: storage[:0]} }

// Names are the names. The slice is the set's own.
func (s NameSet) Names() []string { return s.list }

// Add puts a name into the set unless it is there.
func (s *NameSet) Add(name string) { *s = s.With(name) }

// AddList puts the elements of a comma-separated list into the set.
func (s *NameSet) AddList(value string) { *s = s.WithList(value) }

// With is the set with a name. Unlike Add it leaves the storage of NameSetOn on its caller's stack.
func (s NameSet) With(name string) NameSet {
	if s.Has(name) {
		return s
	}
	s.list = append(s.list, name)
	switch {
	case s.table != nil:
		s.table[strings.Clone(lowered(name))] = struct{}{}
	case len(s.list) > fewNames:
		s.table = make(map[string]struct{}, 4*fewNames)
		for _, n := range s.list {
			s.table[strings.Clone(lowered(n))] = struct{}{}
		}
	}
	return s
}

// WithList is With for the elements of a comma-separated list.
func (s NameSet) WithList(value string) NameSet {
	for l := (List{value}); ; {
		name, ok := l.Next()
		if !ok {
			return s
		}
		s = s.With(name)
	}
}

// Has reports whether a name is in the set.
func (s NameSet) Has(name string) bool {
	if s.table != nil {
		_, ok := s.table[lowered(name)]
		return ok
	}
	for _, n := range s.list {
		if EqualFold(n, name) {
			return true
		}
	}
	return false
}
