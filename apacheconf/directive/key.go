package directive

// Key keeps settings of type T in scopes: httpd's per-server and per-directory configurations, one
// a module.
type Key[T any] struct {
	name  string
	merge func(outer, inner T) T
}

// NewKey makes a key. merge joins the settings of two scopes, the inner one the more specific.
func NewKey[T any](name string, merge func(outer, inner T) T) *Key[T] {
	return &Key[T]{name: name, merge: merge}
}

// In is the settings in a scope, made on first use. Only Set functions write to them.
func (k *Key[T]) In(s *Scope) *T {
	if v, ok := s.cells[k]; ok {
		return v.(*T)
	}
	v := new(T)
	s.cells[k] = v
	return v
}

// Has tells whether anything was set in the scope.
func (k *Key[T]) Has(s *Scope) bool {
	_, ok := s.cells[k]
	return ok
}

// Merged joins the settings of scopes, outermost first; scopes in which nothing was set are left out.
func (k *Key[T]) Merged(chain ...*Scope) T {
	var out T
	first := true
	for _, s := range chain {
		v, ok := s.cells[k]
		if !ok {
			continue
		}
		if first {
			out, first = *v.(*T), false
			continue
		}
		out = k.merge(out, *v.(*T))
	}
	return out
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
