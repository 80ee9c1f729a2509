package site

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"balancerd/apacheconf/directive"
)

// node is one chain of scopes: its parent's and one more. Chains form a tree whose root is a server's
// own scopes; a request walks down it, one step for each section that matches. Nodes are made when
// they are first met and then kept.
type node struct {
	tree  *tree
	up    *node
	scope *directive.Scope // nil at the root
	held  []*section       // the sections on the chain that have others inside

	plan  atomic.Pointer[Plan]
	edges atomic.Pointer[[]*node] // copied on write, under tree.mu
}

// tree is the chains of one server.
type tree struct {
	builders []Builder
	base     []*directive.Scope // main server, virtual host

	mu    sync.Mutex
	nodes int // how many are kept
}

// maxNodes bounds the chains that are kept for a server: clients choose which sections their URLs
// meet, so the number of combinations is theirs to drive up. Beyond it a plan is built for the one
// request and dropped.
const maxNodes = 20000

func newTree(builders []Builder, base ...*directive.Scope) *node {
	return &node{tree: &tree{builders: builders, base: base}}
}

// enter is the chain with a section added.
func (n *node) enter(s *section) *node { return n.down(s.scope, s) }

// down is the chain with scope added; s is nil for a branch of an <If>.
func (n *node) down(scope *directive.Scope, s *section) *node {
	if edges := n.edges.Load(); edges != nil {
		for _, e := range *edges {
			if e.scope == scope {
				return e
			}
		}
	}
	return n.grow(scope, s)
}

func (n *node) grow(scope *directive.Scope, s *section) *node {
	t := n.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	var edges []*node
	if old := n.edges.Load(); old != nil {
		edges = *old
	}
	for _, e := range edges {
		if e.scope == scope {
			return e
		}
	}
	next := &node{tree: t, up: n, scope: scope, held: n.held}
	if s != nil && len(s.ifs)+len(s.files) > 0 {
		next.held = append(slices.Clip(n.held), s)
	}
	if t.nodes >= maxNodes {
		return next
	}
	t.nodes++
	edges = append(slices.Clip(edges), next)
	n.edges.Store(&edges)
	return next
}

// scopes is the chain, outermost first.
func (n *node) scopes() []*directive.Scope {
	out := slices.Clone(n.tree.base)
	var own []*directive.Scope
	for m := n; m.scope != nil; m = m.up {
		own = append(own, m.scope)
	}
	slices.Reverse(own)
	return append(out, own...)
}

// compiled is the chain's plan, built on first use. Two requests may build it at the same time; one
// plan stays.
func (n *node) compiled() (*Plan, error) {
	if p := n.plan.Load(); p != nil {
		return p, nil
	}
	chain := n.scopes()
	p := &Plan{Anew: slices.ContainsFunc(chain, func(s *directive.Scope) bool { return s.Kind == directive.Proxy })}
	for _, b := range n.tree.builders {
		if err := b(chain, p); err != nil {
			return nil, err
		}
	}
	if p.Local == nil {
		return nil, fmt.Errorf("no module describes the sections' core settings")
	}
	n.plan.CompareAndSwap(nil, p)
	return n.plan.Load(), nil
}
