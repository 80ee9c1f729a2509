package wire

import (
	"strings"
	"testing"
)

// FuzzTokens holds the table of a long list against the search in a short one.
func FuzzTokens(f *testing.F) {
	f.Add("a, b;c", "B", ",;")
	f.Add(" close ,,x-y\t; z", "x-y", ",;")
	f.Add(`a "b" c`, "B", ",; \t\"")
	f.Fuzz(func(t *testing.T, list, name, separators string) {
		if separators == "" || name == "" {
			return
		}
		by := SeparatorsOf(separators)
		want := by.Lists(list, name)
		long := TokensOf(list+strings.Repeat(separators[:1], longList+1), by)
		if long.many.Names() == nil && want || long.Has(name) != want {
			t.Errorf("%q in %q: %v, not %v", name, list, long.Has(name), want)
		}
		if short := TokensOf(list, by); short.Has(name) != want {
			t.Errorf("%q in %q: %v, not %v", name, list, short.Has(name), want)
		}
	})
}
