package balancer

// Opt is a value that knows whether somebody set it. V is always the one in force: the default as
// long as Set is false.
type Opt[T any] struct {
	V   T
	Set bool
}

// Some is a value that was set.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// Over is o if it was set, else outer.
func (o Opt[T]) Over(outer Opt[T]) Opt[T] {
	if o.Set {
		return o
	}
	return outer
}
