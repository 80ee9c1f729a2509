package site

import (
	"fmt"
	"slices"
	"sync/atomic"

	"balancerd/apacheconf/directive"
)

// node is one chain of scopes: its parent's and one more. Chains form a tree whose root is a server's
// own scopes; a request walks down it, one step for each section that matches. Nodes are made when
// they are first met and then kept, up to a bound.
type node struct {
	tree  *tree
	up    *node
	scope *directive.Scope // nil at the root
	held  []*section       // the sections on the chain that have others inside

	plan  atomic.Pointer[Plan]
	edges atomic.Pointer[[]*node] // copied on write, under keeper.mu
	used  atomic.Bool             // since the keeper last looked
	apart bool                    // not, or no longer, kept: requests under way may still hold it; under keeper.mu
}

// tree is the chains of one server.
type tree struct {
	builders []Builder
	keeper   *keeper
	base     []*directive.Scope // main server, virtual host
}

func newTree(builders []Builder, k *keeper, base ...*directive.Scope) *node {
	return &node{tree: &tree{builders: builders, keeper: k, base: base}}
}

// enter is the chain with a section added.
func (n *node) enter(s *section) *node { return n.down(s.scope, s) }

// down is the chain with scope added; s is nil for a branch of an <If>.
func (n *node) down(scope *directive.Scope, s *section) *node {
	if e := n.edge(scope); e != nil {
		if !e.used.Load() { // most are: a write would cost the other processors
			e.used.Store(true)
		}
		return e
	}
	return n.tree.keeper.grow(n, scope, s)
}

// edge is the chain that is kept for one more scope; nil when there is none.
func (n *node) edge(scope *directive.Scope) *node {
	if edges := n.edges.Load(); edges != nil {
		for _, e := range *edges {
			if e.scope == scope {
				return e
			}
		}
	}
	return nil
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
	p := &Plan{Anew: slices.ContainsFunc(chain, mergedAnew)}
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

// mergedAnew tells of a section whose settings httpd merges without remembering the outcome: the same
// sections are then not known to be the same (mod_proxy.c proxy_walk; request.c ap_if_walk_sub for an <If>
// with others inside).
func mergedAnew(s *directive.Scope) bool {
	return s.Kind == directive.Proxy || s.Kind == directive.If && len(ifGroups(s)) > 0
}
