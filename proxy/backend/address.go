package backend

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/hostname"
	"balancerd/proxy/recovery"
)

// addressCache is what a worker's name resolved to. It is kept until the next reload unless addressttl= or
// disablereuse= says otherwise; when a lookup fails the last good answer goes on for a while (httpd:
// proxy_util.c ap_proxy_determine_address).
type addressCache struct {
	last atomic.Pointer[resolution]

	mu      sync.Mutex
	pending *lookupCall // under mu: the lookup under way
}

// resolution is one answer. Immutable.
type resolution struct {
	list    []netip.Addr
	made    time.Time
	expires time.Time // zero: never
}

// lookupCall is one lookup: everybody who wants to know meanwhile waits for the same.
type lookupCall struct {
	done chan struct{} // closed when what follows is there
	list []netip.Addr
	err  error
}

// find is the addresses of a host, looked up if need be. keep says that the host is the worker's own.
func (b *addressCache) find(ctx context.Context, host string, set *balancer.WorkerSettings, keep bool) ([]netip.Addr, error) {
	if list := b.known(host, set, keep); list != nil {
		return list, nil
	}
	if !keep || !kept(set) {
		return lookup(ctx, host)
	}
	return b.ask(ctx, host, set)
}

// known is find without looking up; nil: that has to be.
func (b *addressCache) known(host string, set *balancer.WorkerSettings, keep bool) []netip.Addr {
	if a, ok := literal(host, keep); ok {
		return []netip.Addr{a}
	}
	if !keep || !kept(set) {
		return nil
	}
	if p := b.last.Load(); p.fresh() {
		return p.list
	}
	return nil
}

// kept reports whether a worker's address is kept: who keeps no connection keeps no address either, unless
// addressttl= says for how long (httpd: proxy_util.c ap_proxy_initialize_worker).
func kept(set *balancer.WorkerSettings) bool {
	return set.AddressTTL.V != 0 && (set.AddressTTL.Set || !set.DisableReuse.V)
}

// again looks the host up anew, because none of the addresses that were tried since began answered.
// changed reports whether there are others now. Whoever finds that another one has looked since then is
// content with that: a member that is gone does not mean a lookup for each request.
func (b *addressCache) again(ctx context.Context, host string, set *balancer.WorkerSettings, tried []netip.Addr, began time.Time) (list []netip.Addr, changed bool) {
	if p := b.last.Load(); p != nil && p.made.After(began) {
		return p.list, !slices.Equal(p.list, tried)
	}
	list, err := b.ask(ctx, host, set)
	return list, err == nil && !slices.Equal(list, tried)
}

// ask waits for the answer to one lookup, which others may have begun. It takes no longer than ctx.
func (b *addressCache) ask(ctx context.Context, host string, set *balancer.WorkerSettings) ([]netip.Addr, error) {
	b.mu.Lock()
	q := b.pending
	if q == nil {
		q = &lookupCall{done: make(chan struct{})}
		b.pending = q
		recovery.Go("looking up a member's name", func() { b.answer(ctx, q, host, set) })
	}
	b.mu.Unlock()
	select {
	case <-q.done:
		return q.list, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// errUnanswered is what those who wait for a lookup get when it panicked.
var errUnanswered = errors.New("backend: the lookup came to nothing")

// answer looks up and stores the answer. Who asked first may give up, others still wait: the deadline is
// his, his end is not.
func (b *addressCache) answer(ctx context.Context, q *lookupCall, host string, set *balancer.WorkerSettings) {
	q.err = errUnanswered // unless all goes well
	defer func() {
		b.mu.Lock()
		b.pending = nil
		b.mu.Unlock()
		close(q.done)
	}()
	by, limited := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	if limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, by)
		defer cancel()
	}
	list, err := lookup(ctx, host)
	ttl := time.Duration(max(0, set.AddressTTL.V)) * time.Second
	if old := b.last.Load(); err != nil && old != nil {
		list, err, ttl = old.list, nil, unansweredTTL
	}
	q.list, q.err = list, err
	if err == nil {
		p := &resolution{list: list, made: time.Now()}
		if ttl > 0 {
			p.expires = p.made.Add(ttl)
		}
		b.last.Store(p)
	}
}

// unansweredTTL is how long the last good answer goes on when a lookup failed, before the next one: a name
// server that is ill is not waited for by each request.
const unansweredTTL = 5 * time.Second

// age has the next who opens a connection look the name up anew, and reports whether it was known.
func (b *addressCache) age() bool {
	old := b.last.Load()
	return old != nil && b.last.CompareAndSwap(old, &resolution{list: old.list, made: old.made, expires: old.made})
}

// expired reports whether what addressttl= allows has gone by.
func (b *addressCache) expired() bool {
	p := b.last.Load()
	return p != nil && !p.fresh()
}

func (p *resolution) fresh() bool {
	return p != nil && (p.expires.IsZero() || time.Now().Before(p.expires))
}

// moved reports whether a kept connection leads to an address that the worker no longer has.
func (b *addressCache) moved(c *Conn) bool {
	p := b.last.Load()
	return p != nil && c.addr.IsValid() && !slices.Contains(p.list, c.addr)
}

// Moved reports whether it leads to an address that its worker's name no longer has.
func (c *Conn) Moved() bool { return c.to.own && c.pool.addrs.moved(c) }

// Renew has the names of workers looked up again, because a configuration comes into force: who opens a
// connection waits for that, and connections to an address that is gone then end.
func Renew(list []*balancer.Worker) {
	var known []*pool
	for _, w := range list {
		if p, ok := w.Attached(poolKey{}).(*pool); ok && p.addrs.age() {
			known = append(known, p)
		}
	}
	if len(known) > 0 {
		recovery.Go("looking up members' names", func() { renew(known) })
	}
}

// How many names are looked up at a time after a reload, and how long one may take.
const (
	renewers   = 8
	renewLimit = 30 * time.Second
)

func renew(list []*pool) {
	next := make(chan *pool)
	var done sync.WaitGroup
	for range min(renewers, len(list)) {
		done.Add(1)
		recovery.Go("looking up members' names", func() {
			defer done.Done()
			for p := range next {
				ctx, cancel := context.WithTimeout(context.Background(), renewLimit)
				p.addrs.ask(ctx, p.worker.Address().Host, p.worker.Settings())
				cancel()
			}
		})
	}
	for _, p := range list {
		if p.addrs.expired() { // nobody was faster
			next <- p
		}
	}
	close(next)
	done.Wait()
	idles.soon()
}

// Refresh looks a worker's name up again when addressttl= says that it is time for that. For who has kept
// connections, which would go on to where the name led when they were made.
func Refresh(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call) {
	to := targetOf(w, call)
	if set := w.Settings(); set.AddressTTL.V > 0 && to.own && to.socket == "" {
		poolOf(w).refresh(ctx, x, set, call, to)
	}
}

func (p *pool) refresh(ctx context.Context, x *exchange.Exchange, set *balancer.WorkerSettings, call *Call, to target) {
	if !p.addrs.expired() {
		return
	}
	x.Block()
	p.lookup(ctx, connectTimeoutOf(set, call), set, to) // who opens a connection is told of an error
}

// resolver is what looks names up, in place of net.DefaultResolver; for tests.
var resolver atomic.Pointer[net.Resolver]

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	r := resolver.Load()
	if r == nil {
		r = net.DefaultResolver
	}
	list, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i] = list[i].Unmap()
	}
	nearest(list)
	return list, nil
}

// literal is the address that a host is itself. own: it is the worker's, and a file may write it in all ways; of what clients
// name only the usual form is an address.
func literal(host string, own bool) (netip.Addr, bool) {
	a, err := netip.ParseAddr(host)
	if err != nil && own {
		return hostname.InFigures(host)
	}
	return a, err == nil
}

// nearest puts IPv4 addresses of one scope, which stand in a row, into the order in which glibc returns them: those first that
// have the most in common with the address they are reached from, if both are of one subnet. Go does so with IPv6 alone (RFC 6724
// section 6 rule 9).
func nearest(list []netip.Addr) {
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[i].Is4() && list[j].Is4() && local(list[i]) == local(list[j]) {
			j++
		}
		if j-i > 1 {
			byPrefix(list[i:j])
		}
		i = j
	}
}

func local(a netip.Addr) bool { return a.IsLoopback() || a.IsLinkLocalUnicast() }

func byPrefix(list []netip.Addr) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return
	}
	far := make(map[netip.Addr]int, len(list)) // how many bits differ from the source's, from the first that does; 0: another subnet
	for _, a := range list {
		from := source(a)
		for _, i := range nets {
			n, ok := i.(*net.IPNet)
			if own, is := netip.AddrFromSlice(n.IP.To4()); ok && is && own == from && n.Contains(a.AsSlice()) {
				x, y := a.As4(), own.As4()
				far[a] = bits.Len32(binary.BigEndian.Uint32(x[:]) ^ binary.BigEndian.Uint32(y[:]))
			}
		}
	}
	slices.SortStableFunc(list, func(a, b netip.Addr) int { return cmp.Compare(far[a], far[b]) })
}

// source is the address of this machine that a is reached from; invalid: a can't be reached. Nothing is sent.
func source(a netip.Addr) netip.Addr {
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
