package client

import (
	"slices"

	"balancerd/proxy/backend"
	"balancerd/proxy/internal/loop"
)

var _ backend.Keeper = (*clients)(nil)

// idleSince is when the last stream of a connection ended, by backend.Clock; ok is false while it has any.
func (c *conn) idleSince() (since int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.freed, c.idles()
}

// load is how many streams it has or has promised a place to, and since when that may be so.
func (c *conn) load() (streams int, freed int64, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.streams) + c.promised, c.freed, c.closing
}

// wasUsed reports whether it has brought an answer.
func (c *conn) wasUsed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// longest is the connection of those that match which idles longest, nil without one. Under mu.
func (s *clients) longest(match func(*conn) bool) (best *conn, since int64) {
	for _, c := range s.list {
		if at, ok := c.idleSince(); ok && match(c) && (best == nil || at < since) {
			best, since = c, at
		}
	}
	return best, since
}

func anyConn(*conn) bool { return true }

// Oldest is backend.Keeper's.
func (s *clients) Oldest() (since int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, since := s.longest(anyConn); c != nil {
		return since, true
	}
	return backend.Clock(), len(s.list) > 0
}

// DropOldest is backend.Keeper's.
func (s *clients) DropOldest() bool {
	s.mu.Lock()
	c, _ := s.longest(anyConn)
	s.unlist(c)
	s.mu.Unlock()
	if c == nil {
		return false
	}
	c.cut(nil, errClosed)
	return true
}

// unlist takes one off the list; streams begin on those of the list alone. Under mu.
func (s *clients) unlist(c *conn) {
	s.list = slices.DeleteFunc(s.list, func(o *conn) bool { return o == c })
}

// Sweep is backend.Keeper's: what idles longer than ttl=, backend.MaxIdle or what a PROXY header allows, is of a
// configuration that is over, or leads to an address that is gone, is closed; what is closed is forgotten.
func (s *clients) Sweep(now int64) (left bool) {
	limit := backend.MaxIdle
	if ttl := s.worker.Settings().TTL; ttl > 0 {
		limit = ttl
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropUseless(nil, func(c *conn, since int64) bool {
		return now-since >= int64(c.from.IdleLimit(limit)) || c.kind.tls.Retired()
	})
	return len(s.list) > 0
}

// dropUseless takes connections off the list that nobody is to use again, which makes room for others; old says so of one
// that idles since a time. Under mu.
func (s *clients) dropUseless(by *loop.Task, old func(c *conn, since int64) bool) {
	n := len(s.list)
	s.list = slices.DeleteFunc(s.list, func(c *conn) bool {
		since, idle := c.idleSince()
		useless := c.isClosing() || c.from.Moved() || idle && old(c, since)
		if useless {
			c.shut(by)
		}
		return useless
	})
	if len(s.list) < n {
		s.placesFree(by)
	}
}

// dropIdle gives the connection up, of those that match, that idles longest; false: none idles. Under mu.
func (s *clients) dropIdle(by *loop.Task, match func(*conn) bool) bool {
	old, _ := s.longest(match)
	if old == nil {
		return false
	}
	s.unlist(old)
	old.shut(by)
	return true
}

// giveUp has a connection end for one of a kind that waits for max=: one that idles, else the one with the fewest streams,
// once they are over. Only an exclusive one has others of its own kind end.
func (s *clients) giveUp(by *loop.Task, k kind, exclusive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *conn
	least, since := 0, int64(0)
	for _, c := range s.list {
		n, freed, closing := c.load()
		if !closing && (exclusive || c.kind != k) && (best == nil || n < least || n == least && freed < since) {
			best, least, since = c, n, freed
		}
	}
	if best != nil {
		s.unlist(best)
		best.shut(by)
		s.placesFree(by)
	}
}

// makeRoom gives the kind up that was used longest ago, if a connection of another one would be one kind too many; those
// in use do not count. Under mu.
func (s *clients) makeRoom(by *loop.Task, k kind) {
	kinds := map[kind]bool{}
	for _, c := range s.list {
		if _, idle := c.idleSince(); idle {
			kinds[c.kind] = true
		}
	}
	if len(kinds) >= backend.MaxKinds && !kinds[k] {
		s.dropIdle(by, anyConn) // none of those that idle is of the kind
	}
}
