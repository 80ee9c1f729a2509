package cgi

import (
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// fields gathers the fields of an answer that go out joined, those of one name in one. Used again and again.
type fields struct {
	list   []field
	groups []group
	byName map[string]int // of the groups, once they are many
	named  string         // what Connection names beside the usual
}

// field is one line, and the next one of its name.
type field struct {
	name, value string
	next        int // -1 for none
}

// group is the fields of one name.
type group struct{ first, last, size int }

// fewGroups is up to how many names are compared one by one.
const fewGroups = 48

func (f *fields) reset() {
	clear(f.list)
	f.list, f.groups, f.byName, f.named = f.list[:0], f.groups[:0], nil, ""
}

// connection takes a field that concerns the member's connection: it goes no further, nor do those that it names
// (RFC 9110 section 7.6.1).
func (f *fields) connection(id wire.ID, value string) {
	if id == wire.Connection {
		f.named = value
	}
}

func (f *fields) add(name, value string) {
	at := len(f.list)
	f.list = append(f.list, field{name, value, -1})
	if i := f.find(name); i >= 0 {
		g := &f.groups[i]
		f.list[g.last].next = at
		g.last, g.size = at, g.size+len(value)+len(", ")
		return
	}
	if f.byName != nil {
		f.byName[strings.ToLower(name)] = len(f.groups)
	}
	f.groups = append(f.groups, group{at, at, len(value)})
}

// find is the group of a name, -1 for none.
func (f *fields) find(name string) int {
	if f.byName == nil && len(f.groups) > fewGroups {
		f.byName = make(map[string]int, 2*len(f.groups))
		for i, g := range f.groups {
			f.byName[strings.ToLower(f.list[g.first].name)] = i
		}
	}
	if f.byName != nil {
		if i, ok := f.byName[strings.ToLower(name)]; ok {
			return i
		}
		return -1
	}
	for i := range f.groups {
		if strings.EqualFold(f.list[f.groups[i].first].name, name) {
			return i
		}
	}
	return -1
}

// moveTo puts a field for each name into a header, behind what that has of the name.
func (f *fields) moveTo(x *exchange.Exchange, h *exchange.Header) {
	had := len(h.F)
	named := wire.TokensOf(f.named, wire.ConnectionSeparators)
	for _, g := range f.groups {
		name := f.list[g.first].name
		if named.Has(name) {
			continue
		}
		value := f.joined(x, g)
		if at := among(h, had, name); at >= 0 {
			h.F[at].Value = x.Arena.Join(h.F[at].Value, ", ", value)
			continue
		}
		h.Add(name, value)
	}
}

// among is the place of a field among the first n, -1 for none.
func among(h *exchange.Header, n int, name string) int {
	for i := range h.F[:n] {
		if h.F[i].Is(name) {
			return i
		}
	}
	return -1
}

// joined is the values of a group, a comma in between.
func (f *fields) joined(x *exchange.Exchange, g group) string {
	if g.first == g.last {
		return f.list[g.first].value
	}
	b := append(x.Arena.Scratch(g.size), f.list[g.first].value...)
	for i := f.list[g.first].next; i >= 0; i = f.list[i].next {
		b = append(append(b, ", "...), f.list[i].value...)
	}
	return x.Arena.Keep(b)
}
