package site

import (
	"sync"

	"balancerd/apacheconf/directive"
)

// maxKept bounds the memory of the chains that are kept for requests, with their plans: clients choose which
// sections their URLs meet, so the number of combinations is theirs to drive up. In bytes, as Plan.weight
// counts them.
const maxKept = 16 << 20

// keeper bounds the chains of all servers of one load together. A chain that was not used for long gives way
// to a new one: a hand goes round and takes the first at the end of its chain that was not used since it last
// came by.
type keeper struct {
	mu     sync.Mutex
	most   int // bytes; 0: maxKept
	weight int // of all that are kept
	kept   []*node
	hand   int
}

func (k *keeper) limit() int {
	if k.most == 0 {
		return maxKept
	}
	return k.most
}

// grow makes the chain with scope added to n. It is kept if n is, and if there is space.
func (k *keeper) grow(n *node, scope *directive.Scope, s *section) *node {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := n.edges.to(scope); e != nil {
		return e
	}
	next := &node{tree: n.tree, up: n, scope: scope, own: s, held: n.held, access: n.access.behind(scope)}
	next.weight = nodeSize + 64 // and its place in lists
	if s != nil {
		next.weight += s.weight
	}
	if s != nil && len(s.ifs)+len(s.files) > 0 {
		next.held = append(n.held[:len(n.held):len(n.held)], s)
		next.weight += 8 * len(next.held)
	}
	if n.detached || !k.fit(next.weight, n) {
		next.detached = true
		return next
	}
	k.weight += next.weight
	k.kept = append(k.kept, next)
	n.edges.add(next)
	return next
}

// hold gives a chain its plan, if no other request has, and returns the one that it has.
func (k *keeper) hold(n *node, p *Plan) *Plan {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := n.plan.Load(); old != nil {
		return old
	}
	if !n.detached && !k.fit(p.weight, n) {
		return p // the chain stays, and is compiled again when it is met again
	}
	if !n.detached {
		n.weight += p.weight
		k.weight += p.weight
	}
	n.plan.Store(p)
	return p
}

// fit gives chains up until so many bytes more are within the bound; false when too many are in use. Those
// that n is behind stay, and n itself.
func (k *keeper) fit(bytes int, n *node) bool {
	if bytes > k.limit() {
		return false
	}
	for left := 2 * len(k.kept); k.weight+bytes > k.limit(); left-- {
		if left <= 0 {
			return false
		}
		k.hand = (k.hand + 1) % len(k.kept)
		old := k.kept[k.hand]
		if old == n || old.edges.n > 0 || old.used.Swap(false) {
			continue
		}
		k.giveUp(old)
	}
	return true
}

// giveUp takes the chain at the hand from what is kept: the last one takes its place.
func (k *keeper) giveUp(old *node) {
	old.detached = true
	old.up.edges.remove(old)
	k.weight -= old.weight
	last := len(k.kept) - 1
	k.kept[k.hand] = k.kept[last]
	k.kept[last] = nil
	k.kept = k.kept[:last]
	k.hand = max(k.hand-1, 0)
}
