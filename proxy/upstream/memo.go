package upstream

import "iter"

// memo is values by their keys: a list while there are few, as there are for most virtual hosts, then a table, which
// takes ten times the memory of one entry.
type memo[K comparable, V any] struct {
	few  []remembered[K, V]
	many map[K]V
}

type remembered[K comparable, V any] struct {
	key   K
	value V
}

func (m *memo[K, V]) get(key K) (v V, ok bool) {
	if m.many != nil {
		v, ok = m.many[key]
		return v, ok
	}
	for i := range m.few {
		if m.few[i].key == key {
			return m.few[i].value, true
		}
	}
	return v, false
}

// put adds a value under a key that has none.
func (m *memo[K, V]) put(key K, v V) {
	if m.many == nil && len(m.few) < shortList {
		m.few = append(m.few, remembered[K, V]{key, v})
		return
	}
	if m.many == nil {
		m.many = map[K]V{}
		for _, r := range m.few {
			m.many[r.key] = r.value
		}
		m.few = nil
	}
	m.many[key] = v
}

// all is the values in any order.
func (m *memo[K, V]) all() iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, r := range m.few {
			if !yield(r.value) {
				return
			}
		}
		for _, v := range m.many {
			if !yield(v) {
				return
			}
		}
	}
}
