package exchange

import (
	"strings"

	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// Header is an ordered list of header fields; see wire.Header.
type Header = wire.Header

// Field is one header field.
type Field = wire.Field

// AppendTo appends to the first field of that name, behind a comma, or adds a field.
func (x *Exchange) AppendTo(h *Header, name, value string) {
	if i := h.Index(name); i >= 0 {
		h.F[i].Value = x.Arena.Join(h.F[i].Value, ", ", value)
		return
	}
	h.Add(name, value)
}

// EqualFold compares ASCII texts without regard to case.
func EqualFold(a, b string) bool { return wire.EqualFold(a, b) }

// IndexFold is where s has the ASCII text part in any case, -1 for nowhere.
func IndexFold(s, part string) int { return wire.IndexFold(s, part) }

// Bodiless reports whether answers of a status never have a body.
func Bodiless(status int) bool { return wire.Bodiless(status) }

// CutScheme takes the scheme off a request's target; see wire.CutScheme.
func CutScheme(target string) (scheme, rest string) { return wire.CutScheme(target) }

// Table is a small list of named texts: environment variables and notes. Names are unique, and the
// case of their letters does not matter, as in APR's tables. The zero value is ready.
type Table struct{ e []entry }

type entry struct{ name, value string }

// Get is the value of name, and whether it is there.
func (t *Table) Get(name string) (string, bool) {
	for i := range t.e {
		if EqualFold(t.e[i].name, name) {
			return t.e[i].value, true
		}
	}
	return "", false
}

// Value is Get's first result.
func (t *Table) Value(name string) string {
	v, _ := t.Get(name)
	return v
}

// Has reports whether name is there.
func (t *Table) Has(name string) bool {
	_, ok := t.Get(name)
	return ok
}

// Set gives name a value.
func (t *Table) Set(name, value string) {
	for i := range t.e {
		if EqualFold(t.e[i].name, name) {
			t.e[i].value = value
			return
		}
	}
	t.e = append(t.e, entry{name, value})
}

// SetAll gives names, of which no two are the same, their values: what Set would do for each, at the cost of what is
// there alone.
func (t *Table) SetAll(list []Variable) {
	var known map[string]int
	had := len(t.e)
	if had > manyNames {
		known = make(map[string]int, had)
		for i := range t.e {
			known[strings.ToLower(t.e[i].name)] = i
		}
	}
	for _, v := range list {
		if i := t.among(had, known, v.Name); i >= 0 {
			t.e[i].value = v.Value
		} else {
			t.e = append(t.e, entry{v.Name, v.Value})
		}
	}
}

// Variable is a name with its value.
type Variable struct{ Name, Value string }

// manyNames is from how many names on a table of them pays.
const manyNames = 64

// among is the place of name among the first n, which known has if it is not nil; -1 for none.
func (t *Table) among(n int, known map[string]int, name string) int {
	if known != nil {
		if i, ok := known[strings.ToLower(name)]; ok {
			return i
		}
		return -1
	}
	for i := range t.e[:n] {
		if EqualFold(t.e[i].name, name) {
			return i
		}
	}
	return -1
}

// Unset removes name.
func (t *Table) Unset(name string) {
	for i := range t.e {
		if EqualFold(t.e[i].name, name) {
			t.e = append(t.e[:i], t.e[i+1:]...)
			return
		}
	}
}

// Len is the number of names; At is one of them.
func (t *Table) Len() int { return len(t.e) }

// At is the i-th name and value, in order of first setting.
func (t *Table) At(i int) (name, value string) { return t.e[i].name, t.e[i].value }

// Reset empties the table and keeps its storage.
func (t *Table) Reset() {
	clear(t.e)
	poison.Texts(&t.e)
	t.e = t.e[:0]
}

// CopyFrom makes t the same as src.
func (t *Table) CopyFrom(src *Table) { t.e = append(t.e[:0], src.e...) }
