package wire

import (
	"strings"

	"balancerd/proxy/internal/poison"
)

// Field is one header field. Its texts may be views into a read buffer: they hold until the
// exchange that owns the buffer ends; strings.Clone what must outlive it.
type Field struct {
	Name  string // as received or as set, case kept
	Value string // without surrounding blanks
	ID    ID     // the well-known name, or Other
}

// Header is a list of fields in the order of the wire, the case of names kept (RFC 9110 section 5).
// The zero value is empty and ready. Lookups ignore the case of ASCII letters.
type Header struct {
	F []Field
}

// Len is the number of fields.
func (h *Header) Len() int { return len(h.F) }

// Reset empties the list and keeps its storage.
func (h *Header) Reset() {
	wipe(h.F)
	h.F = h.F[:0]
}

// wipe forgets fields that are no longer part of a Header.
func wipe(f []Field) {
	clear(f)
	if poison.On {
		for i := range f {
			f[i] = Field{Name: poison.Text, Value: poison.Text, ID: Warning}
		}
	}
}

// CopyFrom makes h a copy of src, reusing h's storage. The texts are shared.
func (h *Header) CopyFrom(src *Header) { h.F = append(h.F[:0], src.F...) }

// CloneFrom is CopyFrom with texts of its own.
func (h *Header) CloneFrom(src *Header) {
	h.F = h.F[:0]
	for i := range src.F {
		f := &src.F[i]
		h.F = append(h.F, Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value), ID: f.ID})
	}
}

// Index is the position of the first field called name, or -1.
func (h *Header) Index(name string) int {
	id := IDOf(name)
	if id != Other {
		return h.IndexID(id)
	}
	for i := range h.F {
		if f := &h.F[i]; f.ID == Other && EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// IndexID is the position of the first field with a well-known name, or -1.
func (h *Header) IndexID(id ID) int {
	for i := range h.F {
		if h.F[i].ID == id {
			return i
		}
	}
	return -1
}

// Get is the value of the first field called name, or "".
func (h *Header) Get(name string) string {
	if i := h.Index(name); i >= 0 {
		return h.F[i].Value
	}
	return ""
}

// GetID is Get for a well-known name.
func (h *Header) GetID(id ID) string {
	if i := h.IndexID(id); i >= 0 {
		return h.F[i].Value
	}
	return ""
}

// Lookup is Get that tells an empty value from no field.
func (h *Header) Lookup(name string) (string, bool) {
	if i := h.Index(name); i >= 0 {
		return h.F[i].Value, true
	}
	return "", false
}

// Has reports whether a field called name is there.
func (h *Header) Has(name string) bool { return h.Index(name) >= 0 }

// Count is the number of fields called name.
func (h *Header) Count(name string) int {
	n := 0
	for i := range h.F {
		if h.F[i].Is(name) {
			n++
		}
	}
	return n
}

// Joined is the values of all fields called name, joined by ", " (httpd: apr_table_get after merging).
// With one such field nothing is allocated.
func (h *Header) Joined(name string) string {
	i := h.Index(name)
	if i < 0 {
		return ""
	}
	var all joiner
	first := Header{F: []Field{h.F[i]}}
	for j := i + 1; j < len(h.F); j++ {
		if h.F[j].Is(name) {
			all.extend(&first, 0, ", ", h.F[j].Value)
		}
	}
	return first.F[0].Value
}

// Add appends a field, whatever is there already (httpd: apr_table_add).
func (h *Header) Add(name, value string) {
	h.F = append(h.F, Field{Name: name, Value: value, ID: IDOf(name)})
}

// Set replaces the first field called name in place and removes the others, or appends one
// (httpd: apr_table_set). The name's case becomes that of the call when the field is new.
func (h *Header) Set(name, value string) {
	i := h.Index(name)
	if i < 0 {
		h.Add(name, value)
		return
	}
	h.F[i].Value = value
	h.delFrom(i+1, name)
}

// Merge appends ", value" to the first field called name, or adds one (httpd: apr_table_mergen).
func (h *Header) Merge(name, value string) {
	if i := h.Index(name); i >= 0 {
		h.F[i].Value += ", " + value
		return
	}
	h.Add(name, value)
}

// Del removes every field called name and reports whether there was one (httpd: apr_table_unset).
func (h *Header) Del(name string) bool { return h.delFrom(0, name) }

// DelID is Del for a well-known name.
func (h *Header) DelID(id ID) { h.Filter(func(f *Field) bool { return f.ID != id }) }

func (h *Header) delFrom(start int, name string) bool {
	n := start
	for i := start; i < len(h.F); i++ {
		if h.F[i].Is(name) {
			continue
		}
		if n != i {
			h.F[n] = h.F[i]
		}
		n++
	}
	found := n < len(h.F)
	wipe(h.F[n:])
	h.F = h.F[:n]
	return found
}

// Filter keeps the fields for which keep is true, in order.
func (h *Header) Filter(keep func(*Field) bool) {
	n := 0
	for i := range h.F {
		if !keep(&h.F[i]) {
			continue
		}
		if n != i {
			h.F[n] = h.F[i]
		}
		n++
	}
	wipe(h.F[n:])
	h.F = h.F[:n]
}

// Valid reports whether all fields may be sent: see Field.Valid.
func (h *Header) Valid() bool {
	for i := range h.F {
		if !h.F[i].Valid() {
			return false
		}
	}
	return true
}

// Valid reports whether it may be sent: a name that is a token, and a value without control characters but the tabulator
// (RFC 9110 section 5.5, 5.6.2).
func (f *Field) Valid() bool { return (f.ID != Other || IsToken(f.Name)) && IsValue(f.Value) }

// Is reports whether the field is called name.
func (f *Field) Is(name string) bool {
	return len(f.Name) == len(name) && EqualFold(f.Name, name)
}

// EqualFold compares ASCII texts without regard to case.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && lower(x) != lower(y) {
			return false
		}
	}
	return true
}

// IndexFold is where s has the ASCII text part in any case, -1 for nowhere (C: strcasestr).
func IndexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
