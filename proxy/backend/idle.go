package backend

import (
	"container/heap"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/recovery"
	"balancerd/proxy/ticker"
)

// Keeper is who keeps idle connections: a worker's pool of one protocol. Any goroutine may call its
// methods. They must not call Keep.
type Keeper interface {
	// Oldest is since when (see Clock) the connection idles that idled longest, now or later when all are in
	// use; ok is false without any connection: then there is nothing to ask until Keep is called again.
	Oldest() (since int64, ok bool)
	// DropOldest closes that connection and reports whether one idled.
	DropOldest() bool
	// Sweep closes what nobody will use again, and reports whether any connection is left.
	Sweep(now int64) (left bool)
}

// MaxIdle is how long a connection is kept that nobody uses, when ttl= says nothing.
const MaxIdle = 5 * time.Minute

// MaxKinds is how many kinds of idle connections a worker has in a pool: those of TLS for one server name and one set of
// SSLProxy* settings are a kind, those that begin with the PROXY header of one client are one. The kind that was used
// longest ago makes room.
const MaxKinds = 64

// sweepEvery is how often idle connections are looked at.
const sweepEvery = time.Second

var epoch = time.Now()

// Clock is the time that idle connections are dated with: nanoseconds since the process began, by the
// monotonic clock.
func Clock() int64 { return int64(time.Since(epoch)) }

// idles is the process's account: descriptors are the process's, so all pools of all servers are in it.
var idles account

// Keep is to be called after a connection was put to the idle ones of k. known is for k to hold, one
// for each Keeper.
func Keep(k Keeper, known *atomic.Bool) {
	if !known.Load() && !known.Swap(true) {
		idles.enter(&place{k: k, known: known})
	}
	if !idles.awake.Load() {
		idles.wake()
	}
}

// account knows who keeps idle connections. Using and keeping a connection does not touch it; only who
// is short of descriptors, and the sweeper, look into it.
type account struct {
	awake atomic.Bool // the sweeper runs: it does while anybody is known

	mu     sync.Mutex
	byAge  ages           // under mu
	ticker *ticker.Ticker // the sweeper's; nil while it does not run; under mu
}

// place is a Keeper's in the order of age.
type place struct {
	k     Keeper       // immutable
	known *atomic.Bool // immutable
	since int64        // the Keeper has nothing that idles longer; under the account's mu, as all else
	index int          // in byAge; -1: no longer there
}

func (a *account) enter(p *place) {
	a.mu.Lock()
	defer a.mu.Unlock()
	heap.Push(&a.byAge, p)
}

// dismiss forgets one that has nothing. What it keeps in that moment is seen by one side or the other.
// Under mu.
func (a *account) dismiss(p *place) {
	if p.index < 0 {
		return
	}
	p.known.Store(false)
	if _, ok := p.k.Oldest(); ok && p.known.CompareAndSwap(false, true) {
		return
	}
	heap.Remove(&a.byAge, p.index)
}

// evict closes the connection that idled longest of all, and reports whether there was one. What a place
// says may be old, but errs on one side only: a Keeper's oldest connection gets younger as it is used.
// So the first whose word holds is the one. Whoever's does not has kept a connection since it was looked
// at: all the looking costs no more than that did.
func (a *account) evict() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for now := Clock(); len(a.byAge) > 0; {
		p := a.byAge[0]
		if p.since >= now {
			return false
		}
		since, ok := p.k.Oldest()
		switch {
		case !ok:
			a.dismiss(p)
		case since > p.since:
			p.since = since
			heap.Fix(&a.byAge, 0)
		case p.k.DropOldest():
			return true
		}
	}
	return false
}

// ages is a heap of places, the oldest on top.
type ages []*place

func (h ages) Len() int           { return len(h) }
func (h ages) Less(i, j int) bool { return h[i].since < h[j].since }

func (h ages) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is heap.Push's.
func (h *ages) Push(x any) {
	p := x.(*place)
	p.index = len(*h)
	*h = append(*h, p)
}

// Pop is heap.Pop's.
func (h *ages) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	p.index = -1
	return p
}

// wake starts the sweeper.
func (a *account) wake() {
	if a.awake.CompareAndSwap(false, true) {
		recovery.Go("sweeping idle connections", a.run)
	}
}

// run sweeps until nothing idles any more. What is kept while it ends finds it awake still, or wakes
// the next one.
func (a *account) run() {
	t := ticker.New(sweepEvery)
	defer t.Close()
	a.mu.Lock()
	a.ticker = t
	a.mu.Unlock()
	defer a.stops(t)
	a.sweep() // soon may have been called before there was a ticker to nudge
	for t.Wait() {
		a.sweep()
		if a.known() > 0 {
			continue
		}
		a.awake.Store(false)
		if a.known() == 0 || !a.awake.CompareAndSwap(false, true) {
			return
		}
	}
}

// stops forgets a sweeper's ticker, unless the next sweeper runs.
func (a *account) stops(t *ticker.Ticker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ticker == t {
		a.ticker = nil
	}
}

// soon has the sweeper look at once.
func (a *account) soon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ticker != nil {
		a.ticker.Nudge()
	}
}

// known is how many keep something.
func (a *account) known() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.byAge)
}

// sweep asks all.
func (a *account) sweep() {
	a.mu.Lock()
	list := slices.Clone(a.byAge)
	a.mu.Unlock()
	now := Clock()
	for _, p := range list {
		if !sweepOne(p.k, now) {
			a.mu.Lock()
			a.dismiss(p)
			a.mu.Unlock()
		}
	}
}

// sweepOne asks one. A panic is told; it is asked again next time.
func sweepOne(k Keeper, now int64) (left bool) {
	defer func() {
		if p := recover(); p != nil {
			left = true
			fmt.Fprintf(os.Stderr, "AH00052: panic: %v while looking at idle connections\n%s", p, debug.Stack())
		}
	}()
	return k.Sweep(now)
}
