package upstream

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMemoIsATable: as a list and as a table it answers as a map does.
func TestMemoIsATable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3 * shortList {
		var m memo[int, int]
		like := map[int]int{}
		for len(like) < n {
			if k := r.IntN(100); like[k] == 0 {
				like[k] = r.IntN(1000) + 1
				m.put(k, like[k])
			}
		}
		for k := range 100 {
			want, known := like[k]
			if v, ok := m.get(k); v != want || ok != known {
				t.Errorf("%d keys: %d is %d, %v; want %d, %v", n, k, v, ok, want, known)
			}
		}
		all, want := slices.Sorted(m.all()), slices.Sorted(maps.Values(like))
		if !slices.Equal(all, want) {
			t.Errorf("%d keys: all are %v, want %v", n, all, want)
		}
		for range m.all() {
			break // an early end is the caller's right
		}
	}
}
