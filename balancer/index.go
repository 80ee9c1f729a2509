package balancer

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// many is how many members a group must have before an index is worth its upkeep. Only tests change it.
var many = 64

// index makes picks cheap where a group has many members: while no member's condition or settings change, it keeps
// the candidates of the last search in their method's order. A pick then looks at a few of them, where the walk in
// elect.go looks at all; both pick the same. What a pick adds to the loads of all members is counted here once,
// and added to a load when it is asked for (Worker.lbstatus).
//
//	change of a condition, setting, member -> change: loads are written out, the index is gone
//	pick, no index                         -> walk; at the second one in a row: build
//	pick, an index of this method          -> update what moved, take the first
//
// Everything is under group.mu but for moved, where requests say whose Busy, Sent and Read have changed.
type index struct {
	built   bool
	twice   bool    // a member is in the list twice: there can be no index
	method  *Method // whose order it is; nil: it only counts what loads earn
	last    *Method // that picked last since the last change
	claimed bool    // a claim came since the last change
	classes []class
	of      map[int64]int32 // class by factor

	earned, sticky int64   // how many picks by the method, and by a session's route, are not in the loads
	total, usable  int64   // sum of the factors of all candidates, and of all usable members
	soonest        *Worker // of the members in error that a search would meet, the one whose error ends first; nil for none

	moved []atomic.Uint64 // a bit a candidate
	marks []mark          // how each finds its bit; written once
}

// class is the candidates of one load factor, as a heap. As all of them earn the same, they stay in order.
type class struct {
	factor int64
	heap   []entry
}

// entry is a candidate with its standing, but for what its load earned since the index was built.
type entry struct {
	Standing
	worker *Worker
	place  int32 // in the order of candidates
}

// mark is a bit of index.moved.
type mark struct {
	word *atomic.Uint64
	bit  uint64
}

// share is which picks a member's load earns from.
type share uint8

const (
	noShare     share = iota
	stickyShare       // those by a session's route: of all usable members
	fullShare         // the method's, too: of a candidate
)

// lbstatus is the load. Under group.mu.
func (w *Worker) lbstatus() int64 {
	switch ix := w.group.index; w.share {
	case fullShare:
		return w.load + w.factor*(ix.earned+ix.sticky)
	case stickyShare:
		return w.load + w.factor*ix.sticky
	}
	return w.load
}

// change is to be called before a member's condition, settings or load change, or the list does.
func (g *group) change() {
	if ix := g.index; ix != nil {
		ix.last, ix.claimed = nil, false
		g.writeOut()
	}
}

// writeOut gives all members their loads back and ends the index.
func (g *group) writeOut() {
	ix := g.index
	if ix == nil || !ix.built {
		return
	}
	for _, w := range g.list() {
		w.load = w.lbstatus()
		w.share = noShare
		w.mark.Store(nil)
	}
	ix.built, ix.method, ix.soonest = false, nil, nil
	ix.earned, ix.sticky = 0, 0
}

// indexed is the index, if it is one for picks and no member's error has ended meanwhile; else nil.
func (g *group) indexed(now time.Time) *index {
	if ix := g.index; ix != nil && ix.method != nil && (ix.soonest == nil || !ix.soonest.errorEnds(now)) {
		return ix
	}
	return nil
}

// pickIndexed is m's pick by the index; nil when there is none for it.
func (g *group) pickIndexed(m *Method, now time.Time) *Worker {
	if ix := g.indexed(now); ix != nil && ix.method == m {
		return ix.pick(g.pick.Candidates)
	}
	return nil
}

// walked notes that m picked from all candidates of set, in a group of many members. The second time in a row, when nothing has changed
// meanwhile, it makes the index of them, as the loads are after this pick.
func (g *group) walked(m *Method, set int32, now time.Time) {
	if m.Before == nil {
		return
	}
	ix := g.index
	if ix == nil {
		ix = newIndex()
		g.index = ix
	}
	if ix.last == m {
		g.build(m, set, now)
	}
	ix.last, ix.claimed = m, true
}

// build makes an index of the candidates that were gathered from set; without a method, one that only counts
// what loads earn.
func (g *group) build(m *Method, set int32, now time.Time) {
	ix, list := g.index, g.list()
	switch {
	case ix.twice:
	case !ix.count(list):
		g.writeOut()
	case m != nil:
		ix.order(m, g.pick.Candidates)
		ix.soonest = soonest(list, set, now)
	}
}

func newIndex() *index { return &index{of: map[int64]int32{}} }

// count begins to count what loads earn, and reports whether it can.
func (ix *index) count(list []*Worker) bool {
	ix.built, ix.usable, ix.total = true, 0, 0
	for _, w := range list {
		if !w.Usable() {
			continue
		}
		ix.twice = ix.twice || w.share != noShare
		w.share = stickyShare
		ix.usable += w.factor
	}
	return !ix.twice
}

// order sorts the candidates into classes, and each class into a heap.
func (ix *index) order(m *Method, candidates []*Worker) {
	ix.method = m
	ix.classes = ix.classes[:0]
	clear(ix.of)
	ix.grow(len(candidates))
	for i, w := range candidates {
		w.share = fullShare
		ix.total += w.factor
		w.class = ix.classOf(w.factor)
		if m.Watches {
			w.mark.Store(&ix.marks[i])
		}
		c := &ix.classes[w.class]
		w.at = int32(len(c.heap))
		c.heap = append(c.heap, entry{worker: w, place: int32(i)})
		c.heap[w.at].read()
	}
	for i := range ix.classes {
		c := &ix.classes[i]
		for at := len(c.heap)/2 - 1; at >= 0; at-- {
			ix.down(c, at)
		}
	}
}

// grow makes bits for n candidates. Whoever still knows an old one may set it: that costs a look at a member.
func (ix *index) grow(n int) {
	if n <= len(ix.marks) {
		return
	}
	ix.moved = make([]atomic.Uint64, (n+63)/64)
	ix.marks = make([]mark, n)
	for i := range ix.marks {
		ix.marks[i] = mark{&ix.moved[i/64], 1 << (i % 64)}
	}
}

// classOf finds the class of a factor or makes one, in the memory of an earlier one.
func (ix *index) classOf(factor int64) int32 {
	i, has := ix.of[factor]
	if has {
		return i
	}
	i = int32(len(ix.classes))
	ix.of[factor] = i
	if len(ix.classes) < cap(ix.classes) {
		ix.classes = ix.classes[:i+1]
		ix.classes[i] = class{factor, ix.classes[i].heap[:0]}
	} else {
		ix.classes = append(ix.classes, class{factor: factor})
	}
	return i
}

// soonest is the member whose error ends first, of those that a search which finds candidates in set asks about:
// of this set and those before it, and all that stand in front of the first member without an error
// (recoverAll). nil for none.
func soonest(list []*Worker, set int32, now time.Time) (first *Worker) {
	front := true
	var least time.Duration
	for _, w := range list {
		front = front && w.has(InError)
		asked := front || w.lbset <= set && !w.has(Draining)
		if !asked || !w.has(InError) || w.has(Stopped) {
			continue
		}
		if left := w.retry - now.Sub(w.errorTime); first == nil || left < least {
			first, least = w, left
		}
	}
	return first
}

// pick is the candidate that stands before all others.
func (ix *index) pick(candidates []*Worker) *Worker {
	ix.update(candidates)
	if ix.method.Earns {
		ix.earned++
	}
	var best *entry
	var first Standing
	for i := range ix.classes {
		c := &ix.classes[i]
		if len(c.heap) == 0 {
			continue
		}
		e := &c.heap[0]
		s := e.Standing
		s.Load += c.factor * (ix.earned + ix.sticky)
		if best == nil || ix.before(s, first, e.place, best.place) {
			best, first = e, s
		}
	}
	w := best.worker
	if ix.method.Earns {
		ix.pay(w, ix.total)
	}
	return w
}

// accountSticky counts a pick that the method did not make: all usable members earn their factor, w pays
// for all (httpd: mod_proxy_balancer.c proxy_balancer_pre_request).
func (g *group) accountSticky(list []*Worker, w *Worker) {
	w.elected++
	if ix := g.index; ix != nil && ix.built {
		ix.sticky++
		ix.pay(w, ix.usable)
		return
	}
	var total int64
	for _, o := range list {
		if o.Usable() {
			o.load += o.factor
			total += o.factor
		}
	}
	w.load -= total
	g.accounted(list)
}

// accounted notes that a pick by a route was accounted to all of list.
func (g *group) accounted(list []*Worker) {
	if len(list) < many {
		return
	}
	if g.index == nil {
		g.index = newIndex()
	}
	if g.index.claimed {
		g.build(nil, 0, time.Time{})
	}
	g.index.claimed = true
}

// before reports whether a candidate at place i with standing a comes before that at place j with b.
func (ix *index) before(a, b Standing, i, j int32) bool {
	return ix.method.Before(a, b) || i < j && !ix.method.Before(b, a)
}

// pay takes n from w's load.
func (ix *index) pay(w *Worker, n int64) {
	w.load -= n
	if w.share == fullShare {
		ix.refresh(w)
	}
}

// update looks again at the candidates that moved.
func (ix *index) update(candidates []*Worker) {
	if !ix.method.Watches {
		return
	}
	for i := range ix.moved {
		if ix.moved[i].Load() == 0 {
			continue
		}
		for set := ix.moved[i].Swap(0); set != 0; set &= set - 1 {
			if at := i*64 + bits.TrailingZeros64(set); at < len(candidates) {
				ix.refresh(candidates[at])
			}
		}
	}
}

// refresh reads a candidate's figures and puts it where it belongs.
func (ix *index) refresh(w *Worker) {
	c := &ix.classes[w.class]
	c.heap[w.at].read()
	if !ix.up(c, int(w.at)) {
		ix.down(c, int(w.at))
	}
}

// read takes the standing of the worker as it is now.
func (e *entry) read() {
	w := e.worker
	e.Standing = Standing{Factor: w.factor, Load: w.load, Busy: w.busy.value(), Sent: w.sent.Load(), Read: w.read.Load()}
}

// up moves an entry to the front as far as it goes, and reports whether it moved.
func (ix *index) up(c *class, at int) (moved bool) {
	for at > 0 {
		parent := (at - 1) / 2
		if !ix.less(c, at, parent) {
			break
		}
		c.swap(at, parent)
		at, moved = parent, true
	}
	return moved
}

// down moves an entry to the back as far as it goes.
func (ix *index) down(c *class, at int) {
	for {
		child := 2*at + 1
		if child >= len(c.heap) {
			return
		}
		if child+1 < len(c.heap) && ix.less(c, child+1, child) {
			child++
		}
		if !ix.less(c, child, at) {
			return
		}
		c.swap(at, child)
		at = child
	}
}

func (ix *index) less(c *class, i, j int) bool {
	a, b := &c.heap[i], &c.heap[j]
	return ix.before(a.Standing, b.Standing, a.place, b.place)
}

func (c *class) swap(i, j int) {
	c.heap[i], c.heap[j] = c.heap[j], c.heap[i]
	c.heap[i].worker.at, c.heap[j].worker.at = int32(i), int32(j)
}

// moves says that Busy, Sent or Read has changed, for the next pick to look at.
func (w *Worker) moves() {
	if m := w.mark.Load(); m != nil {
		m.set()
	}
}

func (m *mark) set() {
	if m.word.Load()&m.bit == 0 {
		m.word.Or(m.bit)
	}
}
