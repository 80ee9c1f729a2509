package server

import (
	"strconv"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

var _ exchange.Front = (*conn)(nil)

// Interim sends a 1xx answer at once. A 100, which a member may send unasked (proxy-interim-response=RFC), counts as
// the one that the client expects: no other follows.
// An invalid field is left out: nothing of a member's may end a head early.
func (c *conn) Interim(status int, reason string, h *exchange.Header) error {
	x := &c.k.x
	if !x.Req.AtLeast11() {
		return nil
	}
	if status == 100 {
		c.k.body.expects = false
	}
	b := append(c.k.spare[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if reason == "" {
		reason = exchange.ReasonOf(status)
	}
	if wire.IsValue(reason) {
		b = append(b, reason...)
	}
	b = append(b, "\r\n"...)
	if h != nil {
		for i := range h.F {
			if f := &h.F[i]; wire.IsToken(f.Name) && wire.IsValue(f.Value) {
				b = wire.AppendField(b, f.Name, f.Value)
			}
		}
	}
	b = append(b, "\r\n"...)
	c.k.spare = b
	x.Res.Wrote += int64(len(b))
	return c.write(b, nil, x.Server.IOTimeout())
}

// Continue sends 100 Continue to a client that waits for it.
func (c *conn) Continue(reason string, h *exchange.Header) error {
	if !c.k.body.expects {
		return nil
	}
	return c.Interim(100, reason, h)
}
