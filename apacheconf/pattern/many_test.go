package pattern

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"balancerd/testdata/linear"
)

const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

func compileAll(t testing.TB, n int, format string) []*Pattern {
	t.Helper()
	list := make([]*Pattern, n)
	for i := range list {
		var err error
		if list[i], err = Compile(fmt.Sprintf(format, i), Options{Fold: true}); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func has(bits []uint64, i int) bool { return bits[i/64]&(1<<(i%64)) != 0 }

// TestSet: what is no candidate does not match, in sets of all kinds, at sizes around those at which they differ.
func TestSet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, size := range []int{0, 1, fewPatterns, fewPatterns + 1, 63, 64, 65, 200} {
		var list []*Pattern
		for i := range size {
			p, err := Compile(kinds[r.IntN(len(kinds))], Options{Fold: r.IntN(2) == 0})
			if i%50 == 49 || err != nil {
				p = nil
			}
			list = append(list, p)
		}
		set := NewSet(list)
		var bits []uint64
		for _, s := range append(subjects(r, 200), agent, "") {
			bits = set.Candidates(s, bits)
			for i, p := range list {
				if p == nil {
					if !has(bits, i) {
						t.Fatalf("%d of %d, of which nothing is known, is no candidate for %q", i, size, s)
					}
				} else if ok, err := p.Match(s); (ok || err != nil) && !has(bits, i) {
					t.Fatalf("%s, %d of %d, matches %q and is no candidate", p, i, size, s)
				}
			}
		}
	}
}

// TestSetFindsFew: of a thousand patterns only those are candidates whose text is there.
func TestSetFindsFew(t *testing.T) {
	set := NewSet(append(compileAll(t, 1000, "bot%04d/[0-9]"), compileAll(t, 500, "same.*%d")...))
	for s, want := range map[string][]int{agent: nil, "x BOT0815/7": {815}, "bot0001/ bot0999/ bot0001/": {1, 999}, "bot000": nil} {
		bits := set.Candidates(s, nil)
		var got []int
		for i := range set.patterns {
			if has(bits, i) {
				got = append(got, i)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %v", s, got)
		}
	}
	if n := testing.AllocsPerRun(10, func() { set.Candidates(agent, make([]uint64, 0, 64)) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSetsAreLinear: a search costs what the text is long, whether 100 patterns are looked for or 1,600; and nothing but
// that when the text has what many of them need, over and over.
func TestSetsAreLinear(t *testing.T) {
	linear.CheckWithin(t, 8, 100, func(n int) *Set { return NewSet(compileAll(t, n, "bot%04d/[0-9]")) }, func(s *Set) {
		for range 20 {
			s.Candidates(agent, make([]uint64, 0, 256))
		}
	})
	set := NewSet(compileAll(t, 1000, "spider.*%04d"))
	linear.Check(t, 4<<10, func(n int) string { return strings.Repeat("spider", n/6) }, func(s string) {
		set.Candidates(s, make([]uint64, 0, 64))
	})
}

// TestRequirementsAreLinear: what is looked for in a text costs no more than its bytes.
func TestRequirementsAreLinear(t *testing.T) {
	for _, expr := range []string{"(?i)aaab[0-9]", "(aab|aac|aad|aae|aaf)[0-9]", "aaaaaaaab", "^(a|b)aa", "(aa|ab)$", "a{3}b"} {
		p, err := Compile(expr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		linear.Check(t, 4<<10, func(n int) string { return strings.Repeat("a", n) }, func(s string) { p.Match(s) })
	}
}

func BenchmarkSetNoMatch(b *testing.B) {
	set := NewSet(compileAll(b, 1000, "bot%04d/[0-9]"))
	buf := make([]uint64, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		set.Candidates(agent, buf)
	}
}
