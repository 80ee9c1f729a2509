package http2

import (
	"slices"
	"time"

	"balancerd/proxy/backend"
)

var _ backend.Keeper = (*clients)(nil)

// idleSince is when the last stream of a connection ended, by backend.Clock; ok is false while it has some.
func (c *client) idleSince(now int64) (since int64, ok bool) {
	st := c.cc.State()
	switch {
	case st.StreamsActive+st.StreamsReserved+st.StreamsPending > 0:
		return 0, false
	case st.LastIdle.IsZero():
		return 0, true
	}
	return now - int64(time.Since(st.LastIdle)), true
}

// longest is the connection of those that match which idles longest, nil without one. Under mu.
func (s *clients) longest(now int64, match func(*client) bool) (best *client, since int64) {
	for _, c := range s.list {
		if at, ok := c.idleSince(now); ok && match(c) && (best == nil || at < since) {
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
	now := backend.Clock()
	if c, since := s.longest(now, anyClient); c != nil {
		return since, true
	}
	return now, len(s.list) > 0
}

// DropOldest is backend.Keeper's.
func (s *clients) DropOldest() bool {
	s.mu.Lock()
	c, _ := s.longest(backend.Clock(), anyClient)
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
// is over, is closed; what is closed is forgotten.
func (s *clients) Sweep(now int64) (left bool) {
	limit := int64(backend.MaxIdle)
	if ttl := s.worker.Settings().TTL; ttl > 0 {
		limit = int64(ttl)
	}
	var gone []*client
	s.mu.Lock()
	s.list = slices.DeleteFunc(s.list, func(c *client) bool {
		since, idle := c.idleSince(now)
		useless := c.cc.State().Closed || idle && (now-since >= limit || c.kind.tls.Retired())
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
		if _, idle := c.idleSince(0); idle {
			kinds[c.kind] = true
		}
	}
	if len(kinds) < backend.MaxKinds || kinds[k] {
		return
	}
	if old, _ := s.longest(backend.Clock(), func(c *client) bool { return c.kind != k }); old != nil {
		s.unlist(old)
		go old.retire()
	}
}
