package site

import (
	"slices"
	"sync"

	"balancerd/apacheconf/directive"
)

// maxKept bounds the chains that are kept for requests: clients choose which sections their URLs meet,
// so the number of combinations is theirs to drive up.
const maxKept = 1000

// keeper bounds the chains of all servers of one load together. Those that the load makes, one for each
// section, are kept for good. Of those that requests make, one that was not used for long gives way to a
// new one: a hand goes round and takes the first at the end of its chain that was not used since it last
// came by.
type keeper struct {
	mu      sync.Mutex
	serving bool // the load is over
	kept    []*node
	hand    int
}

// serve ends the load.
func (k *keeper) serve() {
	k.mu.Lock()
	k.serving = true
	k.mu.Unlock()
}

// grow makes the chain with scope added to n. It is kept if n is, and if there is room.
func (k *keeper) grow(n *node, scope *directive.Scope, s *section) *node {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := n.edge(scope); e != nil {
		return e
	}
	next := &node{tree: n.tree, up: n, scope: scope, held: n.held}
	if s != nil && len(s.ifs)+len(s.files) > 0 {
		next.held = append(slices.Clip(n.held), s)
	}
	if n.apart || k.serving && !k.admit(next) {
		next.apart = true
		return next
	}
	var edges []*node
	if old := n.edges.Load(); old != nil {
		edges = *old
	}
	edges = append(slices.Clip(edges), next)
	n.edges.Store(&edges)
	return next
}

// admit makes room for a chain; false when all others are in use.
func (k *keeper) admit(next *node) bool {
	if len(k.kept) < maxKept {
		k.kept = append(k.kept, next)
		return true
	}
	for range 2 * len(k.kept) {
		k.hand = (k.hand + 1) % len(k.kept)
		old := k.kept[k.hand]
		if old == next.up || old.hasEdges() || old.used.Swap(false) {
			continue
		}
		old.leave()
		k.kept[k.hand] = next
		return true
	}
	return false
}

// hasEdges tells whether longer chains are kept behind this one.
func (n *node) hasEdges() bool {
	edges := n.edges.Load()
	return edges != nil && len(*edges) > 0
}

// leave takes a chain from its parent's.
func (n *node) leave() {
	n.apart = true
	edges := slices.DeleteFunc(slices.Clone(*n.up.edges.Load()), func(e *node) bool { return e == n })
	n.up.edges.Store(&edges)
}
