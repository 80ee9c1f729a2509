package backend

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/recovery"
)

// addressBook is what a worker's name resolved to. It is kept for ever unless addressttl= says
// otherwise; when a lookup fails the last good answer goes on (httpd: proxy_util.c
// ap_proxy_determine_address).
type addressBook struct {
	page atomic.Pointer[addressPage]

	mu     sync.Mutex
	asking *question // under mu: the lookup under way
}

// addressPage is one answer. Immutable.
type addressPage struct {
	list    []netip.Addr
	made    time.Time
	expires time.Time // zero: never
}

// question is one lookup: everybody who wants to know meanwhile waits for the same.
type question struct {
	done chan struct{} // closed when what follows is there
	list []netip.Addr
	err  error
}

// find is the addresses of a host, looked up if need be. keep tells that the host is the worker's own.
func (b *addressBook) find(ctx context.Context, host string, set *balancer.WorkerSettings, keep bool) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	if !keep || set.AddressTTL.V == 0 {
		return lookup(ctx, host)
	}
	if p := b.page.Load(); p.fresh() {
		return p.list, nil
	}
	return b.ask(ctx, host, set)
}

// again looks the host up anew, because none of the addresses that were tried since began answered.
// changed tells whether there are others now. Whoever finds that another one has looked since then is
// content with that: a member that is gone does not mean a lookup for each request.
func (b *addressBook) again(ctx context.Context, host string, set *balancer.WorkerSettings, tried []netip.Addr, began time.Time) (list []netip.Addr, changed bool) {
	if p := b.page.Load(); p != nil && p.made.After(began) {
		return p.list, !slices.Equal(p.list, tried)
	}
	list, err := b.ask(ctx, host, set)
	return list, err == nil && !slices.Equal(list, tried)
}

// ask waits for the answer to one lookup, which others may have begun. It takes no longer than ctx.
func (b *addressBook) ask(ctx context.Context, host string, set *balancer.WorkerSettings) ([]netip.Addr, error) {
	b.mu.Lock()
	q := b.asking
	if q == nil {
		q = &question{done: make(chan struct{})}
		b.asking = q
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

// answer looks up and writes the page. Who asked first may give up, others still wait: the deadline is
// his, his end is not.
func (b *addressBook) answer(ctx context.Context, q *question, host string, set *balancer.WorkerSettings) {
	q.err = errUnanswered // unless all goes well
	defer func() {
		b.mu.Lock()
		b.asking = nil
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
	if old := b.page.Load(); err != nil && old != nil {
		list, err = old.list, nil
	}
	q.list, q.err = list, err
	if err == nil {
		p := &addressPage{list: list, made: time.Now()}
		if ttl := time.Duration(set.AddressTTL.V) * time.Second; ttl > 0 {
			p.expires = p.made.Add(ttl)
		}
		b.page.Store(p)
	}
}

func (p *addressPage) fresh() bool {
	return p != nil && (p.expires.IsZero() || time.Now().Before(p.expires))
}

// moved tells whether a kept connection leads to an address that the worker no longer has.
func (b *addressBook) moved(c *Conn) bool {
	p := b.page.Load()
	return p != nil && c.addr.IsValid() && !slices.Contains(p.list, c.addr)
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i] = list[i].Unmap()
	}
	return list, nil
}
