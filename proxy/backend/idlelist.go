package backend

import (
	"slices"

	"balancerd/balancer"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/recovery"
)

// security is what keeps pooled connections apart: the zero value is that of plain ones.
type security struct {
	tls    *TLS
	name   string
	socket string // that is not the worker's own
	remote *Remote
	header string // the PROXY header that they began with; "" for none
}

// securityOf is that of connections to a target that begin with a header. tls and name count only if its scheme has TLS.
func securityOf(to target, tls *TLS, name, header string) (s security) {
	s.remote, s.header = to.remote, header
	if Secure(to.scheme) {
		s.tls, s.name = tls, name
	}
	if to.aside {
		s.socket = to.socket
	}
	return s
}

// idleList is the idle connections of one kind.
type idleList struct {
	kind security
	list []*Conn // longest idle first
}

// cut takes one off.
func (s *idleList) cut(i int) *Conn {
	c := s.list[i]
	copy(s.list[i:], s.list[i+1:])
	s.list[len(s.list)-1] = nil
	s.list = s.list[:len(s.list)-1]
	return c
}

// pop is the idle connection that was used last, of those for the call's TLS, rather one of the same
// event loop. Older than ttl= they are gone (apr: apr_reslist.c apr_reslist_acquire). Under mu.
func (p *pool) pop(task *loop.Task, set *balancer.WorkerSettings, kind security) (c *Conn, gone []*Conn) {
	s := p.find(kind)
	if s == nil {
		return nil, nil
	}
	i := p.best(s, task, set)
	if i < 0 {
		return nil, nil
	}
	if set.TTL > 0 {
		if by := Clock() - int64(set.TTL); s.list[i].since <= by {
			return nil, p.expire(nil, by, 0)
		}
	}
	p.idle--
	return s.cut(i), nil
}

// find is the idle list of a kind, which is in front then; nil: there is none. Under mu.
func (p *pool) find(kind security) *idleList {
	for i, s := range p.idleLists {
		if s.kind == kind {
			copy(p.idleLists[1:i+1], p.idleLists[:i])
			p.idleLists[0] = s
			return s
		}
	}
	return nil
}

// best is the place of the connection that pop takes, -1 for none. Under mu.
func (p *pool) best(s *idleList, task *loop.Task, set *balancer.WorkerSettings) int {
	far := -1
	for i := len(s.list) - 1; i >= 0; i-- {
		c := s.list[i]
		switch {
		case !c.suits(task):
		case c.near(task):
			return i
		case far < 0:
			far = i
		}
	}
	if far >= 0 && s.kind.header == "" && p.preferOwn(set) { // one client's is wanted by nobody else
		return -1
	}
	return far
}

// preferOwn reports whether an event loop opens a connection of its own rather than take another one's:
// while others are in use that one will want it back at once. Under mu.
func (p *pool) preferOwn(set *balancer.WorkerSettings) bool {
	return p.open > p.idle && (set.Max == 0 || p.open < set.Max)
}

// putIdle puts a connection to those of its kind. What has to be closed for it, because there would be too
// many kinds, is no longer the pool's. Under mu.
func (p *pool) putIdle(c *Conn) (gone []*Conn) {
	kind := securityOf(c.to, c.tls, c.name, c.header)
	s := p.find(kind)
	if s == nil {
		if len(p.idleLists) == MaxKinds {
			gone = p.dropKind(MaxKinds - 1)
		}
		s = &idleList{kind: kind}
		p.idleLists = slices.Insert(p.idleLists, 0, s)
	}
	s.list = append(s.list, c)
	p.idle++
	return gone
}

// dropKind gives a kind up. Under mu.
func (p *pool) dropKind(i int) (gone []*Conn) {
	gone = p.idleLists[i].list
	p.idleLists = slices.Delete(p.idleLists, i, i+1)
	p.idle -= len(gone)
	p.open -= len(gone)
	for range gone {
		p.wake()
	}
	return gone
}

// oldest is the idle list of the connection that idled longest, nil without any. Under mu.
func (p *pool) oldest() (best *idleList) {
	for _, s := range p.idleLists {
		if len(s.list) > 0 && (best == nil || s.list[0].since < best.list[0].since) {
			best = s
		}
	}
	return best
}

// takeOldest takes the connection that idled longest, nil without any; the right to open one is the
// caller's then. Under mu.
func (p *pool) takeOldest() *Conn {
	s := p.oldest()
	if s == nil {
		return nil
	}
	p.idle--
	return s.cut(0)
}

// expire takes out idle connections that are not used since a time, the oldest first, down to keep, and
// appends them to gone. Under mu.
func (p *pool) expire(gone []*Conn, by int64, keep int) []*Conn {
	for p.idle > keep {
		s := p.oldest()
		if s.list[0].since > by {
			break
		}
		gone = append(gone, s.cut(0))
		p.idle--
		p.open--
		p.wake()
	}
	return gone
}

// remove takes out the idle connections that are useless, and appends them to gone. Under mu.
func (p *pool) remove(gone []*Conn, useless func(*Conn) bool) []*Conn {
	for _, s := range p.idleLists {
		s.list = slices.DeleteFunc(s.list, func(c *Conn) bool {
			if !useless(c) {
				return false
			}
			gone = append(gone, c)
			p.idle--
			p.open--
			p.wake()
			return true
		})
	}
	return gone
}

func closeAll(list []*Conn) {
	for _, c := range list {
		recovery.Do("closing a member's idle connection", c.close)
	}
}

var _ Keeper = (*pool)(nil)

// Oldest is Keeper's.
func (p *pool) Oldest() (since int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.oldest()
	if s == nil {
		return 0, false
	}
	return s.list[0].since, true
}

// DropOldest is Keeper's.
func (p *pool) DropOldest() bool {
	p.mu.Lock()
	c := p.takeOldest()
	if c != nil {
		p.open--
		p.wake()
	}
	p.mu.Unlock()
	if c == nil {
		return false
	}
	c.close()
	return true
}

// Sweep closes what is older than ttl=, or MaxIdle, what its member has closed or written to, what leads
// to an address that is no longer the worker's, and what is of a configuration that is over.
func (p *pool) Sweep(now int64) (left bool) {
	gone, left := p.useless(now)
	closeAll(gone)
	return left
}

func (p *pool) useless(now int64) (gone []*Conn, left bool) {
	limit := MaxIdle
	if set := p.worker.Settings(); set.TTL > 0 {
		limit = set.TTL
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	gone = p.remove(nil, func(c *Conn) bool {
		return now-c.since >= int64(c.IdleLimit(limit)) || c.tls.Retired() || p.addrs.moved(c) || c.touched()
	})
	p.idleLists = slices.DeleteFunc(p.idleLists, func(s *idleList) bool { return len(s.list) == 0 && s.kind != security{} })
	return gone, p.idle > 0
}

// touched reports whether the member did something to an idle connection: it closed it, or wrote.
func (c *Conn) touched() bool {
	if watched, pending := c.pendingEvent(); watched && !pending {
		return false
	}
	return c.io != nil && c.io.Look() != loop.Quiet
}
