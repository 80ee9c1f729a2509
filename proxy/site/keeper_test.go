package site

import (
	"context"
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
		p.Local = &exchange.Local{ErrorDocuments: make([]exchange.ErrorDocument, 10)}
		p.Add(Fixup, "", func(context.Context, *exchange.Exchange) error { return nil })
		return nil
	}
	c := &compiler{builders: []builder{{&Module{}, weigh}}}
	main := &directive.Scope{Kind: directive.Main}
	own, err := c.server(main)
	if err != nil {
		panic(err)
	}
	root = newTree(c, k, own, main)
	for i := range sections {
		list = append(list, &section{scope: &directive.Scope{Kind: directive.Location, Arg: fmt.Sprint("/", i)}})
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
	if list := n.edges.few.Load(); list != nil {
		for _, e := range *list {
			total += count(e)
		}
	}
	if m := n.edges.many.Load(); m != nil {
		m.Range(func(_, e any) bool { total += count(e.(*node)); return true })
	}
	return total
}

// However many combinations clients drive up, on however many servers, what is kept weighs no more than the
// bound; the ones in use stay.
func TestChainsAreBounded(t *testing.T) {
	k := &keeper{most: 1 << 20}
	var roots []*node
	var lists [][]*section
	for range 3 {
		r, l := chains(k, 14)
		roots, lists = append(roots, r), append(lists, l)
	}
	regular := walkTo(roots[0], lists[0], 0b101)
	for bits := range 1 << 14 {
		n := walkTo(roots[bits%3], lists[bits%3], bits)
		if p, err := n.compiled(); err != nil || p.Local == nil {
			t.Fatal(err)
		}
		if got, want := len(n.scopes()), 1+popcount(bits); got != want {
			t.Fatalf("%b has %d scopes", bits, got)
		}
		if bits%100 == 0 && walkTo(roots[0], lists[0], 0b101) != regular {
			t.Fatalf("after %d combinations one that is in use is gone", bits)
		}
	}
	total, weight := 0, 0
	for _, r := range roots {
		total += count(r) - 1
	}
	for _, n := range k.kept {
		weight += n.weight
	}
	if total != len(k.kept) || weight != k.weight || weight > k.most || weight < k.most/2 {
		t.Errorf("%d chains hang together, %d are kept; they weigh %d, %d by the account, at most %d", total, len(k.kept), weight, k.weight, k.most)
	}
}

// A plan that weighs more than all may is not kept, and serves all the same.
func TestAPlanBeyondTheBoundIsNotKept(t *testing.T) {
	k := &keeper{most: 1 << 10}
	root, list := chains(k, 2)
	n := walkTo(root, list, 0b11)
	if p, err := n.compiled(); err != nil || p.Local == nil || n.plan.Load() != nil || k.weight > k.most {
		t.Error(err, n.plan.Load(), k.weight)
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
		k := &keeper{most: 1 << 20}
		root, list := chains(k, 14)
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
	k := &keeper{most: 1 << 18}
	root, list := chains(k, 12)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1 << 12 {
				bits := (i*2654435761 + g*977) & (1<<12 - 1)
				n := walkTo(root, list, bits)
				if _, err := n.compiled(); err != nil || len(n.scopes()) != 1+popcount(bits) {
					t.Errorf("%b: %d scopes, %v", bits, len(n.scopes()), err)
					return
				}
			}
		})
	}
	wg.Wait()
	if total := count(root) - 1; total != len(k.kept) || k.weight > k.most {
		t.Errorf("%d chains, %d are kept and weigh %d", total, len(k.kept), k.weight)
	}
}
