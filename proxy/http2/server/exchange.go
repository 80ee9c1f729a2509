package server

import (
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/recovery"
)

// serve is an exchange from its request to its log lines. false: it panicked, and nothing of it is to be used again.
func (st *stream) serve() bool {
	x, c := &st.x, st.c
	x.Conn, x.Task, x.Front, x.Server, x.Start = c.info, st.task, st, c.server, time.Now()
	x.ClientIP = c.info.RemoteIP
	var problem *exchange.Problem
	sound := st.guardExchange(func() { problem = st.read() })
	c.reporter.Begin(x)
	sound = sound && st.guardExchange(func() {
		if problem != nil {
			c.s.app.Refuse(st.ctx, x, problem)
		} else {
			c.s.app.Serve(st.ctx, x)
		}
	})
	if !sound && !st.guardExchange(func() { st.bare(500) }) {
		st.bare(500) // without the body that panics when it is closed
	}
	if !st.guardExchange(st.send) {
		sound, st.cut = false, true
	}
	if st.cut {
		st.breakOff()
	}
	return st.finish() && sound
}

// finish ends an exchange: the logs and the sums.
func (st *stream) finish() bool {
	x, c := &st.x, st.c
	x.Res.Read = st.bytes + st.body.taken.Load()
	whole := st.ctx.Err() == nil
	sound := st.guardExchange(func() {
		st.body.trailer()
		c.s.app.Done(st.ctx, x)
	})
	c.reporter.End(x, time.Since(x.Start), c.alone())
	for done := sound; !done; {
		done = st.guardExchange(x.Finish)
	}
	c.mu.Lock()
	c.countBroken(st.task, whole)
	c.mu.Unlock()
	return sound
}

// alone reports whether only one exchange is at work.
func (c *conn) alone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)-len(c.pending) == 1
}

// guardExchange runs f and reports whether it came to its end. A panic ends this exchange, nothing else.
func (st *stream) guardExchange(f func()) (sound bool) {
	defer func() {
		if !sound {
			st.c.s.panicked(recover(), " while serving "+st.x.Req.Line)
		}
	}()
	f()
	return true
}

// panicked notes a panic that ended something of less than the process, with where it was.
func (s *Server) panicked(p any, where string) {
	s.log(exchange.Crit, nil, recovery.Message(p, where))
}

// bare makes an answer of a status and nothing else.
func (st *stream) bare(status int) {
	x := &st.x
	x.Res.Clear()
	x.Res.Always.Reset()
	x.Res.Status, x.Res.Local = status, true
}

var _ exchange.Front = (*stream)(nil)

// Interim sends a 1xx answer. A 103 goes only where H2EarlyHints is on, and 100 is the protocol's own
// business (httpd: h2_stream.c).
func (st *stream) Interim(status int, _ string, h *exchange.Header) error {
	if status < 102 || status > 199 || status == 103 && !st.c.server.HTTP2.EarlyHints {
		return nil
	}
	return st.interim(status, h)
}

// interim sends a 1xx answer.
func (st *stream) interim(status int, h *exchange.Header) error {
	if _, err := st.lock(0); err != nil {
		return err
	}
	c := st.c
	defer c.mu.Unlock()
	b := c.out.Buffer(512)
	at := len(b)
	b = st.beginBlock(b, status, 0)
	if h != nil {
		for i := range h.F {
			if f := &h.F[i]; wire.IsToken(f.Name) && wire.IsValue(f.Value) && !wire.ConnectionField[f.ID] {
				b = c.out.enc.Field(b, f.ID, f.Name, f.Value)
			}
		}
	}
	c.out.B = frames.SplitBlock(b, at, st.id)
	c.kick(st.task)
	st.rest(st.task)
	return nil
}

// Continue sends 100 Continue to a client that waits for it; so does the first read of the body. A member's fields
// are not sent along.
func (st *stream) Continue(string, *exchange.Header) error {
	st.body.goOn()
	return nil
}
