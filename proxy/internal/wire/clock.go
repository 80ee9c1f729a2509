package wire

import (
	"sync/atomic"
	"time"
)

// Clock makes the Date field's text once a second. The zero value is ready; any goroutine may use it.
type Clock struct{ now atomic.Pointer[stamp] }

// stamp is one second's text. Immutable.
type stamp struct {
	second int64
	text   string
}

// Date is a moment as a Date field says it (RFC 9110 section 5.6.7).
func (c *Clock) Date(t time.Time) string {
	s := t.Unix()
	if p := c.now.Load(); p != nil && p.second == s {
		return p.text
	}
	p := &stamp{s, t.UTC().Format(DateFormat)}
	c.now.Store(p)
	return p.text
}
