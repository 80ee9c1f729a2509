package client

import (
	"slices"

	"balancerd/proxy/backend"
)

var _ backend.Keeper = (*clients)(nil)

// idleSince is when the last attempt of a connection ended, by backend.Clock; ok is false while it has
// streams. x/net keeps that time only for itself to close idle connections.
func (c *client) idleSince() (since int64, ok bool) {
	st := c.cc.State()
	return c.freed.Load(), st.StreamsActive+st.StreamsReserved+st.StreamsPending == 0
}

// longest is the connection of those that match which idles longest, nil without one. Under mu.
func (s *clients) longest(match func(*client) bool) (best *client, since int64) {
	for _, c := range s.list {
		if at, ok := c.idleSince(); ok && match(c) && (best == nil || at < since) {
			best, since = c, at
		}
	}
	return best, since
}

func anyClient(*client) bool { return true }

// Oldest is backend.Keeper's.
func (s *clients) Oldest() (since int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, since := s.longest(anyClient); c != nil {
		return since, true
	}
	return backend.Clock(), len(s.list) > 0
}

// DropOldest is backend.Keeper's.
func (s *clients) DropOldest() bool {
	s.mu.Lock()
	c, _ := s.longest(anyClient)
	s.unlist(c)
	s.mu.Unlock()
	if c == nil {
		return false
	}
	c.cc.Close()
	return true
}

// unlist takes one off the list; streams begin on those of the list alone. Under mu.
func (s *clients) unlist(c *client) {
	s.list = slices.DeleteFunc(s.list, func(o *client) bool { return o == c })
}

// Sweep is backend.Keeper's: what idles longer than ttl=, or backend.MaxIdle, or is of a configuration that
// is over, or leads to an address that is gone, is closed; what is closed is forgotten.
func (s *clients) Sweep(now int64) (left bool) {
	limit := backend.MaxIdle
	if ttl := s.worker.Settings().TTL; ttl > 0 {
		limit = ttl
	}
	var gone []*client
	s.mu.Lock()
	s.list = slices.DeleteFunc(s.list, func(c *client) bool {
		since, idle := c.idleSince()
		useless := c.cc.State().Closed || c.conn.Moved() || idle && (now-since >= int64(limit) || c.kind.tls.Retired())
		if useless {
			gone = append(gone, c)
		}
		return useless
	})
	left = len(s.list) > 0
	s.mu.Unlock()
	for _, c := range gone {
		go c.retire()
	}
	return left
}

// makeRoom gives the kind up that was used longest ago, if a connection of another one would be one kind
// too many; those in use do not count. Under mu.
func (s *clients) makeRoom(k kind) {
	kinds := map[kind]bool{}
	for _, c := range s.list {
		if _, idle := c.idleSince(); idle {
			kinds[c.kind] = true
		}
	}
	if len(kinds) < backend.MaxKinds || kinds[k] {
		return
	}
	if old, _ := s.longest(func(c *client) bool { return c.kind != k }); old != nil {
		s.unlist(old)
		go old.retire()
	}
}
