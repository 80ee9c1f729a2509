package server

import (
	"context"
	"net/http"
	"os"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// stream is one exchange of a connection. Owned by the goroutine that serves it.
type stream struct {
	c    *conn
	x    exchange.Exchange
	w    http.ResponseWriter
	r    *http.Request
	ctl  *control
	head []byte // the request's head as HTTP/1 has it; x's texts are views into it
	req  wire.Request
	body body
	buf  []byte // for the answer's body

	second bool // an answer was replaced by an own page: that is done once
	cut    bool // the answer cannot be ended as if it were whole
}

// handle serves one stream.
func (c *conn) handle(w http.ResponseWriter, r *http.Request) {
	if !c.enter() {
		panic(http.ErrAbortHandler)
	}
	defer c.exit()
	defer c.contain()
	ctl := newControl(w)
	defer ctl.end()
	st := c.s.streams.Get().(*stream)
	st.c, st.w, st.r, st.ctl = c, w, r, ctl
	st.body.st = st
	st.x.Req.Stream = int(2*c.opened.Add(1) - 1)
	sound := st.serve(r.Context())
	cut := st.cut
	if sound {
		st.rest()
	}
	if cut {
		panic(http.ErrAbortHandler) // RST_STREAM: the client must see that this is not all
	}
}

// contain, deferred, makes a panic outside of what is guarded the end of the stream, with a line in the log.
// Who panics with http.ErrAbortHandler wants just that end: RST_STREAM.
func (c *conn) contain() {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler {
		c.s.panicked(p, "of "+c.info.RemoteText)
	}
	panic(http.ErrAbortHandler)
}

// rest makes it fit for the next one.
func (st *stream) rest() {
	c := st.c
	x := st.x
	x.Reset()
	x.Conn, x.Front = nil, nil
	head, buf := st.head, st.buf
	if cap(head) > 64<<10 {
		head = nil
	}
	if st.cut { // x/net may still be writing from it to a client that broke the stream off
		buf = nil
	}
	poison.Bytes(st.head)
	poison.Bytes(buf)
	*st = stream{x: x, head: head, buf: buf}
	poison.Put(&c.s.streams, st)
}

// serve is an exchange from its request to its log lines. false: it panicked, and nothing of it is to be
// used again.
func (st *stream) serve(ctx context.Context) bool {
	x := &st.x
	x.Conn, x.Front, x.Server, x.Start = st.c.info, st, st.c.server, time.Now()
	x.ClientIP = st.c.info.RemoteIP
	var problem *exchange.Problem
	sound := st.guarded(func() { problem = st.read() })
	st.c.reporter.Begin(x)
	sound = sound && st.guarded(func() {
		if problem != nil {
			st.c.s.app.Refuse(ctx, x, problem)
		} else {
			st.c.s.app.Serve(ctx, x)
		}
	})
	if !sound && !st.guarded(func() { st.bare(500) }) {
		st.bare(500) // without the body that panics when it is closed
	}
	if !st.guarded(func() { st.send(ctx) }) {
		sound, st.cut = false, true
	}
	sound = st.finish(ctx) && sound
	st.c.ended(ctx.Err() == nil)
	return sound
}

// finish ends an exchange: the logs and the sums.
func (st *stream) finish(ctx context.Context) bool {
	x := &st.x
	x.Res.Read = int64(len(st.head)) + st.body.taken.Load()
	sound := st.guarded(func() {
		st.body.trailer()
		st.c.s.app.Done(ctx, x)
	})
	st.c.reporter.End(x, time.Since(x.Start), st.c.alone())
	for done := sound; !done; {
		done = st.guarded(x.Finish)
	}
	return sound
}

// guarded runs f and reports whether it came to its end. A panic ends this exchange, nothing else.
func (st *stream) guarded(f func()) (sound bool) {
	defer func() {
		if !sound {
			st.c.s.panicked(recover(), "while serving "+st.x.Req.Line)
		}
	}()
	f()
	return true
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
	to := st.w.Header()
	if h != nil {
		for i := range h.F {
			if f := &h.F[i]; wire.IsToken(f.Name) && wire.IsValue(f.Value) && !wire.ConnectionField[f.ID] {
				key := exchange.CanonicalName(f)
				to[key] = append(to[key], strings.Clone(f.Value))
			}
		}
	}
	st.w.WriteHeader(status)
	clear(to)
	return nil
}

// Continue has nothing to do: who waits for 100 Continue gets it when the body is first read.
func (st *stream) Continue(string, *exchange.Header) error { return nil }

// timeout is how long one read or write may take (httpd: h2_c2.c c2_post_read_request).
func (st *stream) timeout() time.Duration {
	s := st.x.Server
	if s.HTTP2.Timeout > 0 {
		return s.HTTP2.Timeout
	}
	return timeoutOf(s)
}

// watched runs f, a read or write, and has expire end it when it takes too long.
func watched(d time.Duration, expire func(), f func() error) error {
	t := time.AfterFunc(d, expire)
	err := f()
	if !t.Stop() && err != nil {
		return os.ErrDeadlineExceeded
	}
	return err
}
