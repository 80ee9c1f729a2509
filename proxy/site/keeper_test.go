package site

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// chains is a tree whose plans weigh something, and the sections that requests combine.
func chains(k *keeper, sections int) (root *node, list []*section) {
	weigh := func(_ []*directive.Scope, p *Plan) error {
		p.Local = &exchange.Local{ErrorDocuments: make([]exchange.ErrorDocument, 100)}
		return nil
	}
	root = newTree([]Builder{weigh}, k)
	for i := range sections {
		s := &section{scope: &directive.Scope{Kind: directive.Location, Arg: fmt.Sprint("/", i)}}
		list = append(list, s)
		root.enter(s)
	}
	return root, list
}

// walkTo meets the sections that the bits of a number name.
func walkTo(root *node, list []*section, bits int) *node {
	n := root
	for i, s := range list {
		if bits>>i&1 == 1 {
			n = n.enter(s)
		}
	}
	return n
}

func count(n *node) int {
	total := 1
	if edges := n.edges.Load(); edges != nil {
		for _, e := range *edges {
			total += count(e)
		}
	}
	return total
}

// However many combinations clients drive up, on however many servers, only so many are kept; the ones in
// use stay.
func TestChainsAreBounded(t *testing.T) {
	k := &keeper{}
	var roots []*node
	var lists [][]*section
	for range 3 {
		r, l := chains(k, 14)
		roots, lists = append(roots, r), append(lists, l)
	}
	k.serve()
	regular := walkTo(roots[0], lists[0], 0b101)
	for bits := range 1 << 14 {
		n := walkTo(roots[bits%3], lists[bits%3], bits)
		if p, err := n.compiled(); err != nil || p.Local == nil {
			t.Fatal(err)
		}
		if got, want := len(n.scopes()), popcount(bits); got != want {
			t.Fatalf("%b has %d scopes", bits, got)
		}
		if bits%100 == 0 && walkTo(roots[0], lists[0], 0b101) != regular {
			t.Fatalf("after %d combinations one that is in use is gone", bits)
		}
	}
	total := 0
	for _, r := range roots {
		total += count(r)
	}
	if most := maxKept + 3*(14+1); total > most || total < maxKept {
		t.Errorf("%d chains are kept, want at most %d", total, most)
	}
}

func popcount(n int) (c int) {
	for ; n > 0; n &= n - 1 {
		c++
	}
	return c
}

// What is kept weighs no more for 16,384 combinations than for 2,048.
func TestChainsWeighTheSame(t *testing.T) {
	weight := func(combinations int) uint64 {
		k := &keeper{}
		root, list := chains(k, 14)
		k.serve()
		for bits := range combinations {
			walkTo(root, list, bits).compiled()
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(root)
		return m.HeapAlloc
	}
	few, many := weight(1<<11), weight(1<<14)
	if many > few+few/2 {
		t.Errorf("2,048 combinations weigh %d, 16,384 weigh %d", few, many)
	}
}

// Requests of several goroutines at a time meet chains that come and go.
func TestChainsComeAndGo(t *testing.T) {
	k := &keeper{}
	root, list := chains(k, 12)
	k.serve()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1 << 12 {
				bits := (i*2654435761 + g*977) & (1<<12 - 1)
				n := walkTo(root, list, bits)
				if _, err := n.compiled(); err != nil || len(n.scopes()) != popcount(bits) {
					t.Errorf("%b: %d scopes, %v", bits, len(n.scopes()), err)
					return
				}
			}
		})
	}
	wg.Wait()
	if total := count(root); total > maxKept+13 {
		t.Errorf("%d chains", total)
	}
}
