package backend

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/balancer"
)

// addressBook is what a worker's name resolved to. It is kept for ever unless addressttl= says
// otherwise; when a lookup fails the last good answer goes on (httpd: proxy_util.c
// ap_proxy_determine_address).
type addressBook struct {
	page atomic.Pointer[addressPage]
	mu   sync.Mutex // one lookup at a time
}

// addressPage is one answer. Immutable.
type addressPage struct {
	list    []netip.Addr
	expires time.Time // zero: never
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
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.page.Load()
	if old.fresh() {
		return old.list, nil
	}
	return b.refresh(ctx, host, set, old)
}

// again looks the host up anew, because none of its addresses answered. changed tells whether there
// are others now.
func (b *addressBook) again(ctx context.Context, host string, set *balancer.WorkerSettings, tried []netip.Addr) (list []netip.Addr, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, err := b.refresh(ctx, host, set, nil)
	return list, err == nil && !slices.Equal(list, tried)
}

// refresh looks up and writes the page. Under mu.
func (b *addressBook) refresh(ctx context.Context, host string, set *balancer.WorkerSettings, old *addressPage) ([]netip.Addr, error) {
	list, err := lookup(ctx, host)
	if err != nil {
		if old == nil {
			return nil, err
		}
		list = old.list
	}
	p := &addressPage{list: list}
	if ttl := time.Duration(set.AddressTTL.V) * time.Second; ttl > 0 {
		p.expires = time.Now().Add(ttl)
	}
	b.page.Store(p)
	return list, nil
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
