package backend

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// poolKey is what a worker's pool is attached under, checksKey what that of its health checks is.
type (
	poolKey   struct{}
	checksKey struct{}
)

// pool is the connections of one worker. It lives as long as the worker, over reloads.
type pool struct {
	worker *balancer.Worker // immutable
	addrs  *addressCache    // immutable; of all of the worker's pools
	checks bool             // immutable: its connections are of health checks, and none is kept
	known  atomic.Bool      // see Keep

	mu        sync.Mutex
	idleLists []*idleList     // under mu: the idle ones, by kind; the kind that was used last first
	idle      int             // under mu: how many there are
	open      int             // under mu: in use and idle
	waiting   []chan struct{} // under mu: who wants to open one, first come first served
	closed    bool            // under mu: the worker is gone
}

func poolOf(w *balancer.Worker) *pool {
	if p, ok := w.Attached(poolKey{}).(*pool); ok {
		return p
	}
	return w.Attach(poolKey{}, &pool{worker: w, addrs: &addressCache{}}).(*pool)
}

// poolFor is the pool of the connections that a call may use.
func poolFor(w *balancer.Worker, call *Call) *pool {
	p := poolOf(w)
	if call.Check == nil {
		return p
	}
	if own, ok := w.Attached(checksKey{}).(*pool); ok {
		return own
	}
	return w.Attach(checksKey{}, &pool{worker: w, addrs: p.addrs, checks: true}).(*pool)
}

// Close closes the idle connections, and the others once they are released: the worker is gone from
// the configuration.
func (p *pool) Close() error {
	p.mu.Lock()
	p.closed = true
	gone := p.remove(nil, func(*Conn) bool { return true })
	p.idleLists = nil
	p.mu.Unlock()
	closeAll(gone)
	return nil
}

// Idle is how many connections to a worker are kept at the moment. It makes no pool for one that has none.
func Idle(w *balancer.Worker) int {
	p, ok := w.Attached(poolKey{}).(*pool)
	if !ok {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idle
}

// Acquire is a connection to a worker for one attempt: the one that was used last, if it is alive, or
// a new one. With fresh it is a new one in any case. It must be given back by Release. The error is a
// *Failure (httpd: proxy_util.c ap_proxy_acquire_connection, ap_proxy_check_connection,
// ap_proxy_connect_backend).
func Acquire(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call, fresh bool) (*Conn, error) {
	return connectionFor(ctx, w, x, call, fresh, nil)
}

// AcquireFresh is Acquire of a new connection for who keeps connections over the end of requests: full is called if as many
// as max= allows are open, before it waits, and may have one of them end. Later ones are told by Conn.Wanted.
func AcquireFresh(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call, full func()) (*Conn, error) {
	return connectionFor(ctx, w, x, call, true, full)
}

func connectionFor(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call, fresh bool, full func()) (*Conn, error) {
	p := poolFor(w, call)
	to := targetOf(w, call)
	set := w.Settings()
	fresh = fresh || !to.own
	if set.AddressTTL.V > 0 && !fresh && to.socket == "" && to.remote == nil {
		p.refresh(ctx, x, set, call, to)
	}
	header := announcement(set, x, call, to)
	task := taskOf(x)
	if call.offLoop(to.scheme) {
		x.Detach()
		task = nil
	}
	for {
		c, err := p.take(ctx, task, set, securityOf(to, call.TLS, call.Name, header), fresh, full)
		if err != nil {
			x.LogServer("proxy", exchange.Error, err, x.Arena.Join("AH00941: ", to.scheme, ": failed to acquire connection for (", to.host, ":",
				x.Arena.Int(int64(to.port)), ")"))
			return nil, &Failure{Kind: Exhausted, Err: err, Host: to.host, Port: to.port}
		}
		if c == nil {
			if c, err = p.connect(ctx, x, call, to, header); err != nil {
				return nil, err
			}
		} else if !p.usable(c, x, to) {
			c.close()
			p.forget()
			continue
		}
		c.begin(x, set, call, to)
		return c, nil
	}
}

// connect is dial that gives the right to open a connection back when there is none in the end, not
// even an error.
func (p *pool) connect(ctx context.Context, x *exchange.Exchange, call *Call, to target, header string) (c *Conn, err error) {
	defer func() {
		if c == nil {
			p.forget()
		}
	}()
	began := time.Now()
	if c, err = p.dial(ctx, x, call, to, header); err == nil {
		c.took = time.Since(began)
	}
	return c, err
}

// take is an idle connection that suits the call, or nil with the right to open one. It waits as long
// as acquire= says when max= are open; full, if there is one, is called before.
func (p *pool) take(ctx context.Context, task *loop.Task, set *balancer.WorkerSettings, sec security, fresh bool, full func()) (*Conn, error) {
	var timer *time.Timer
	for {
		p.mu.Lock()
		if !fresh {
			c, gone := p.pop(task, set, sec)
			if c != nil {
				p.mu.Unlock()
				return c, nil
			}
			if gone != nil {
				p.mu.Unlock()
				closeAll(gone)
				p.mu.Lock()
			}
		}
		if set.Max == 0 || p.open < set.Max {
			p.open++
			p.mu.Unlock()
			return nil, nil
		}
		if c := p.takeOldest(); c != nil { // of another kind than is wanted
			p.mu.Unlock()
			c.close()
			return nil, nil
		}
		turn := make(chan struct{}, 1)
		p.waiting = append(p.waiting, turn)
		p.mu.Unlock()
		if full != nil {
			full()
		}
		if timer == nil && set.Acquire.Set {
			timer = time.NewTimer(set.Acquire.V)
			defer timer.Stop()
		}
		task.Block()
		if err := p.wait(ctx, turn, timer); err != nil {
			return nil, err
		}
	}
}

// wait waits for a turn, or the end of the time that is left.
func (p *pool) wait(ctx context.Context, turn chan struct{}, timer *time.Timer) error {
	var over <-chan time.Time
	if timer != nil {
		over = timer.C
	}
	err := context.DeadlineExceeded
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-over:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range p.waiting {
		if c == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return err
		}
	}
	p.wake() // the turn came at the last moment: it is another one's now
	return err
}

// Wanted reports whether somebody waits for a connection of its worker's to end.
func (c *Conn) Wanted() bool {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	return len(c.pool.waiting) > 0
}

// wake lets the next waiter try. Under mu.
func (p *pool) wake() {
	if len(p.waiting) > 0 {
		p.waiting[0] <- struct{}{}
		p.waiting = append(p.waiting[:0], p.waiting[1:]...)
	}
}

// mayHaveChanged reports whether a connection has to be looked at before it is used.
func (c *Conn) mayHaveChanged(x *exchange.Exchange) bool {
	if watched, pending := c.pendingEvent(); watched {
		return pending
	}
	return c.io != nil && x.Start.Sub(c.began) > skipProbeWindow
}

// skipProbeWindow is for how long after its last request a connection is used without a look at it: an end that
// comes in so short a time is found by Undelivered.
const skipProbeWindow = time.Millisecond

// usable reports whether an idle connection may carry a request: nothing came in on it, its end neither,
// and its address is still the worker's.
func (p *pool) usable(c *Conn, x *exchange.Exchange, to target) bool {
	state := c.look(x)
	switch {
	case state == loop.Quiet && (to.remote != nil || !p.addrs.moved(c)):
		return true
	case state == loop.Quiet && x.Enabled("proxy", exchange.Debug):
		x.Log("proxy", exchange.Debug, nil, "AH10481: "+to.scheme+": closing connection to "+to.host+" ("+c.Address()+") on address change")
	case state == loop.Bytes && x.Enabled("proxy", exchange.Info):
		x.LogServer("proxy", exchange.Info, nil, "AH03408: "+to.scheme+": reusable backend connection is not empty: forcibly closed")
	case state == loop.End && x.Enabled("proxy", exchange.Debug):
		x.LogServer("proxy", exchange.Debug, nil, "AH00951: "+to.scheme+": backend socket is disconnected.")
	}
	return false
}

// forget gives the right to open a connection back.
func (p *pool) forget() {
	p.mu.Lock()
	p.open--
	p.wake()
	p.mu.Unlock()
}

// put keeps a connection for the next request. More than smax= idle ones go when they are older than
// ttl= (apr: apr_reslist.c reslist_maint).
func (p *pool) put(c *Conn) {
	set := p.worker.Settings()
	c.since = Clock()
	p.mu.Lock()
	if p.closed || c.tls.Retired() {
		p.open--
		p.wake()
		p.mu.Unlock()
		c.close()
		return
	}
	c.detachTask()
	gone := p.putIdle(c)
	if set.TTL > 0 {
		_, soft, _ := set.Pool(p.idle)
		gone = p.expire(gone, c.since-int64(set.TTL), soft)
	}
	p.wake()
	p.mu.Unlock()
	closeAll(gone)
	Keep(p, &p.known)
}
