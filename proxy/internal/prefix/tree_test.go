package prefix

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// word is a text of few letters, so that many of them begin alike.
func word(r *rand.Rand, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteByte("ab/"[r.IntN(3)])
	}
	return b.String()
}

// A tree finds what comparing with each key finds.
func TestEachFindsEveryPrefix(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var tree Tree[string]
		keys := map[string]bool{}
		for range r.IntN(40) {
			key := word(r, 6)
			keys[key] = true
			*tree.At(key) = "value of " + key
		}
		for range 50 {
			text := word(r, 9)
			var got, want []string
			tree.Each(text, func(length int, v *string) {
				if *v != "value of "+text[:length] {
					t.Fatalf("%q has the value %q", text[:length], *v)
				}
				got = append(got, text[:length])
			})
			for n := range len(text) + 1 {
				if keys[text[:n]] {
					want = append(want, text[:n])
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%q begins with %q, want %q of %v", text, got, want, keys)
			}
		}
	}
}

// A value stays with its key whatever is added behind it.
func TestAtKeepsValues(t *testing.T) {
	var tree Tree[int]
	for i := range 1000 {
		*tree.At(fmt.Sprint("/app", i, "/")) = i
	}
	for i := range 1000 {
		if v := *tree.At(fmt.Sprint("/app", i, "/")); v != i {
			t.Fatalf("%d has the value %d", i, v)
		}
	}
}

func TestEachAllocatesNothing(t *testing.T) {
	var tree Tree[int]
	for i := range 1000 {
		*tree.At(fmt.Sprint("/app", i)) = i
	}
	sum := 0
	if n := testing.AllocsPerRun(100, func() { tree.Each("/app999/x", func(_ int, v *int) { sum += *v }) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The same from a text's end.
func TestEachSuffixFindsEverySuffix(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var tree Tree[string]
		keys := map[string]bool{}
		for range r.IntN(40) {
			key := word(r, 6)
			keys[key] = true
			*tree.At(Reversed(key)) = key
		}
		for range 50 {
			text := word(r, 9)
			var got, want []string
			tree.EachSuffix(text, func(length int, v *string) {
				if *v != text[len(text)-length:] {
					t.Fatalf("%q has the value %q", text[len(text)-length:], *v)
				}
				got = append(got, *v)
			})
			for n := range len(text) + 1 {
				if keys[text[len(text)-n:]] {
					want = append(want, text[len(text)-n:])
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%q ends with %q, want %q of %v", text, got, want, keys)
			}
		}
	}
}
