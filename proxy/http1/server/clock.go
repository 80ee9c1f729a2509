package server

import (
	"sync/atomic"
	"time"

	"balancerd/proxy/internal/wire"
)

// clock makes the Date field's text once a second.
type clock struct{ now atomic.Pointer[stamp] }

// stamp is one second's text. Immutable.
type stamp struct {
	second int64
	text   string
}

// date is a moment as a Date field says it (RFC 9110 section 5.6.7).
func (c *clock) date(t time.Time) string {
	s := t.Unix()
	if p := c.now.Load(); p != nil && p.second == s {
		return p.text
	}
	p := &stamp{s, t.UTC().Format(wire.DateFormat)}
	c.now.Store(p)
	return p.text
}
