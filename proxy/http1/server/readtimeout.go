package server

import (
	"time"

	"balancerd/proxy/exchange"
)

// limit is one stage of RequestReadTimeout under way: a time that bytes put off
// (httpd: mod_reqtimeout.c). The zero value is no limit.
type limit struct {
	by, max time.Time
	perByte time.Duration
}

// start begins a stage.
func (l *limit) start(now time.Time, r exchange.ReadLimit) {
	*l = limit{}
	if r.Timeout <= 0 {
		return
	}
	l.by = now.Add(r.Timeout)
	if r.Max > 0 {
		l.max = now.Add(r.Max)
	}
	if r.Rate > 0 {
		l.perByte = time.Second / time.Duration(r.Rate)
	}
}

func (l *limit) on() bool { return !l.by.IsZero() }

// arrived puts the end off for n bytes.
func (l *limit) arrived(n int) {
	if l.perByte == 0 {
		return
	}
	l.by = l.by.Add(time.Duration(n) * l.perByte)
	if !l.max.IsZero() && l.by.After(l.max) {
		l.by = l.max
	}
}

// left is how long a wait may last that is bounded by timeout anyway.
func (l *limit) left(now time.Time, timeout time.Duration) time.Duration {
	if l.on() {
		return max(0, min(timeout, l.by.Sub(now)))
	}
	return timeout
}

// nextReadTimeout is how long the next wait for a request's bytes may last.
func (c *conn) nextReadTimeout(now time.Time) time.Duration {
	if c.partial() {
		c.setState(Reading)
	} else if c.info.Kept > 0 {
		return c.server.KeepAliveTimeout
	}
	if !c.headBy.on() {
		from := now
		if c.info.Kept == 0 {
			from = c.began
		}
		c.headBy.start(from, c.server.HeaderRead)
	}
	return c.headBy.left(now, c.server.IOTimeout())
}

// arrived notes n bytes of a head.
func (c *conn) arrived(n int) {
	if c.headBy.on() {
		c.headBy.arrived(n)
	}
}
