package directive

import (
	"reflect"
	"slices"
)

// Key keeps settings of type T in scopes: httpd's per-server and per-directory configurations, one
// a module.
type Key[T any] struct {
	name  string
	merge func(outer, inner T) T
}

// NewKey makes a key. Its name is its own: modules say by it which settings they look at. merge joins the settings of two scopes, the inner one the more specific.
func NewKey[T any](name string, merge func(outer, inner T) T) *Key[T] {
	return &Key[T]{name: name, merge: merge}
}

// In is the settings in a scope, made on first use. Only Set functions write to them.
func (k *Key[T]) In(s *Scope) *T {
	if v, ok := k.at(s); ok {
		return v
	}
	v := new(T)
	s = s.real()
	s.cells = append(s.cells, cell{k, v})
	return v
}

// at is the settings in a scope; false when none were made.
func (k *Key[T]) at(s *Scope) (v *T, ok bool) {
	for _, c := range s.real().cells {
		if c.key == settings(k) {
			return c.value.(*T), true
		}
	}
	return nil, false
}

// cell is the settings of one key in a scope. Most scopes have one or two, for which a table would be large.
type cell struct {
	key   settings // *Key[T]
	value any      // *T
}

// settings is a Key whatever the type of its settings.
type settings interface {
	named(names []string) bool
	size(cell any) int
}

func (k *Key[T]) named(names []string) bool { return slices.Contains(names, k.name) }

func (k *Key[T]) size(cell any) int { return sizeOf(reflect.ValueOf(cell.(*T)).Elem()) }

// Has reports whether anything was set in the scope.
func (k *Key[T]) Has(s *Scope) bool {
	_, ok := k.at(s)
	return ok
}

// Merged joins the settings of a chain of scopes, outermost first; scopes in which nothing was set are left out. Sections
// of a kind are joined among themselves before what they stand in comes in: where merging is not associative, as with
// AuthMerging and RewriteOptions Inherit, that shows (httpd: request.c ap_directory_walk, ap_location_walk and their like).
func (k *Key[T]) Merged(chain ...*Scope) T {
	var out T
	first := true
	for len(chain) > 0 {
		n := walkedTogether(chain)
		v, ok := k.joined(chain[:n])
		switch chain = chain[n:]; {
		case !ok:
		case first:
			out, first = v, false
		default:
			out = k.merge(out, v)
		}
	}
	return out
}

// joined is the settings of scopes, one after the other; false when there are none.
func (k *Key[T]) joined(scopes []*Scope) (out T, ok bool) {
	for _, s := range scopes {
		v, has := k.at(s)
		switch {
		case !has:
		case ok:
			out = k.merge(out, *v)
		default:
			out, ok = *v, true
		}
	}
	return out, ok
}

// walkedTogether is how many scopes at the beginning of a chain are joined among themselves: sections of one kind. What
// <Proxy> says is put over the servers' one by one (httpd: mod_proxy.c proxy_walk).
func walkedTogether(chain []*Scope) int {
	kind := chain[0].Kind
	if kind&(Server|Proxy) != 0 {
		kind = Server | Proxy
	}
	n := 1
	for n < len(chain) && chain[n].Kind&kind != 0 {
		n++
	}
	return n
}

// Holds reports whether settings of a key with one of the names were made in the scope.
func (s *Scope) Holds(names ...string) bool {
	for _, c := range s.real().cells {
		if c.key.named(names) {
			return true
		}
	}
	return false
}

// Size is how many bytes the settings take that were made in the scope under keys with one of the names: what
// joining them with others copies. What they point to is not counted.
func (s *Scope) Size(names ...string) (bytes int) {
	for _, c := range s.real().cells {
		if c.key.named(names) {
			bytes += c.key.size(c.value)
		}
	}
	return bytes
}

// sizeOf is how many bytes a value takes with its slices and maps.
func sizeOf(v reflect.Value) int { return int(v.Type().Size()) + sizeBehind(v) }

// sizeBehind is what the slices and maps in a value take.
func sizeBehind(v reflect.Value) (bytes int) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			bytes += sizeBehind(v.Field(i))
		}
	case reflect.Slice:
		bytes = (v.Cap() - v.Len()) * int(v.Type().Elem().Size())
		for i := range v.Len() {
			bytes += sizeOf(v.Index(i))
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			bytes += sizeOf(i.Key()) + sizeOf(i.Value())
		}
	}
	return bytes
}

// Opt is a value that may not have been set.
type Opt[T any] struct {
	value T
	set   bool
}

// Some is an Opt that is set.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// Set gives it a value.
func (o *Opt[T]) Set(v T) { o.value, o.set = v, true }

// Get is the value and whether it was set.
func (o Opt[T]) Get() (T, bool) { return o.value, o.set }

// Or is the value, or another one when it was not set.
func (o Opt[T]) Or(other T) T {
	if o.set {
		return o.value
	}
	return other
}

// Over is o where it was set, else outer.
func (o Opt[T]) Over(outer Opt[T]) Opt[T] {
	if o.set {
		return o
	}
	return outer
}
