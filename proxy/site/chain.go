package site

import (
	"slices"
	"sync"
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
	own   *section         // of scope; nil at the root, and for a branch of an <If>
	held  []*section       // the sections on the chain that have others inside

	access *accessRule // which access files are looked at in the folders that the chain holds for

	plan     atomic.Pointer[Plan]
	edges    edges
	used     atomic.Bool // since the keeper last looked
	detached bool        // not, or no longer, kept: requests under way may still hold it; under keeper.mu
	weight   int         // in bytes, as the keeper counts; under keeper.mu
}

// tree is the chains of one server.
type tree struct {
	compiler *compiler
	keeper   *keeper
	base     []*directive.Scope // main server, virtual host
}

// newTree makes the tree of a server whose own plan is given: base is the main server's scope and, of a
// virtual host, its own.
func newTree(c *compiler, k *keeper, own *Plan, base ...*directive.Scope) *node {
	root := &node{tree: &tree{compiler: c, keeper: k, base: base}, access: accessBase(base)}
	root.plan.Store(own)
	return root
}

// enter is the chain with a section added.
func (n *node) enter(s *section) *node { return n.down(s.scope, s) }

// down is the chain with scope added; s is nil for a branch of an <If>.
func (n *node) down(scope *directive.Scope, s *section) *node {
	if e := n.edges.to(scope); e != nil {
		if !e.used.Load() { // most are: a write would cost the other processors
			e.used.Store(true)
		}
		return e
	}
	return n.tree.keeper.grow(n, scope, s)
}

// scopes is the chain, outermost first.
func (n *node) scopes() []*directive.Scope { return append(slices.Clone(n.tree.base), n.below(nil)...) }

// below is the part of the chain that is behind a node, which stands on it; nil stands for the root.
func (n *node) below(above *node) []*directive.Scope {
	var own []*directive.Scope
	for m := n; m != above && m.scope != nil; m = m.up {
		own = append(own, m.scope)
	}
	slices.Reverse(own)
	return own
}

// compiled is the chain's plan, built on first use from that of the longest chain before it that has one.
// Two requests may build it at the same time; one plan stays.
func (n *node) compiled() (*Plan, error) {
	if p := n.plan.Load(); p != nil {
		return p, nil
	}
	above := n.up
	for above.plan.Load() == nil { // the root's is always there
		above = above.up
	}
	p, err := n.tree.compiler.extend(above.plan.Load(), n.below(above))
	if err != nil {
		return nil, err
	}
	return n.tree.keeper.hold(n, p), nil
}

// edges are the chains with one more scope, by that scope: a short list, and a table for the many that a
// list would be too long for. They are read without a lock, and written under keeper.mu.
type edges struct {
	few  atomic.Pointer[[]*node] // copied on write
	many atomic.Pointer[sync.Map]
	n    int // under keeper.mu
}

// fewEdges is how long the list gets.
const fewEdges = 8

// to is the chain with one more scope; nil when it is not kept.
func (e *edges) to(scope *directive.Scope) *node {
	if list := e.few.Load(); list != nil {
		for _, n := range *list {
			if n.scope == scope {
				return n
			}
		}
	}
	if m := e.many.Load(); m != nil {
		if n, ok := m.Load(scope); ok {
			return n.(*node)
		}
	}
	return nil
}

// add keeps a chain. The caller holds keeper.mu.
func (e *edges) add(n *node) {
	e.n++
	var list []*node
	if old := e.few.Load(); old != nil {
		list = *old
	}
	if len(list) < fewEdges {
		list = append(slices.Clip(list), n)
		e.few.Store(&list)
		return
	}
	m := e.many.Load()
	if m == nil {
		m = &sync.Map{}
		e.many.Store(m)
	}
	m.Store(n.scope, n)
}

// remove gives a chain up. The caller holds keeper.mu.
func (e *edges) remove(n *node) {
	e.n--
	if old := e.few.Load(); old != nil && slices.Contains(*old, n) {
		list := slices.DeleteFunc(slices.Clone(*old), func(o *node) bool { return o == n })
		e.few.Store(&list)
		return
	}
	if m := e.many.Load(); m != nil {
		m.Delete(n.scope)
	}
}
