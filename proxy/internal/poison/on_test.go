package poison_test

import (
	"sync"
	"testing"

	"balancerd/proxy/internal/poison"
)

type item struct {
	name  string
	deep  struct{ texts [2]string }
	table []struct{ key, value string }
	n     int
}

func fill() *item {
	it := &item{name: "a", n: 1}
	it.deep.texts = [2]string{"b", "c"}
	it.table = append(it.table, struct{ key, value string }{"d", "e"})
	return it
}

// What is given back is overwritten in a build with the tag, and as it was in any other.
func TestGivenBack(t *testing.T) {
	b := append(make([]byte, 0, 8), "text"...)
	view := b[1:3]
	poison.Bytes(b[:0])
	if got := view[0] == poison.Byte && b[:8][7] == poison.Byte; got != poison.On {
		t.Error("bytes:", view)
	}
	var pool sync.Pool
	it := fill()
	texts := it.deep.texts[:]
	poison.Put(&pool, it)
	for _, s := range []string{it.name, texts[0], texts[1], it.table[0].key, it.table[0].value} {
		if got := s == poison.Text; got != poison.On {
			t.Errorf("a text is %q", s)
		}
	}
	if poison.On && pool.Get() != nil {
		t.Error("the item is used again")
	}
}
