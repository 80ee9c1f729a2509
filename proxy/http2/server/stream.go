package server

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// stream is one exchange of a connection: from its first header block to its log lines.
type stream struct {
	c   *conn
	id  uint32
	ctx *streamContext

	// Owned by who serves the connection until the exchange begins.
	head head

	// Owned by who serves the exchange.
	x      exchange.Exchange
	task   *loop.Task // nil: a goroutine serves it
	req    wire.Request
	body   body
	piece  *frames.Chunk // for what the answer's body has to be waited for
	bytes  int64         // of the request's head
	second bool          // an answer was replaced by an own page: that is done once
	cut    bool          // the answer cannot be ended as if it were whole
	socket *socket       // it is to become a WebSocket; nil: it is not

	turn loop.Event // it may append, or is over
	come loop.Event // something of its body has come, or the stream is over

	// Under the connection's mu.
	inlet
	grant    grant
	window   int64 // what the client's window lets through
	priority priority
	sending  bool             // it has more to send at hand, as far as it knows
	ended    bool             // the client has sent all
	tail     []exchange.Field // what it sent behind the body
	closed   bool             // it was reset, or has ended both ways
}

var errGone = errors.New("http2: the stream is over")

// stream is a fresh one.
func (s *Server) stream(c *conn, id uint32) *stream {
	st := s.streams.Get().(*stream)
	st.c, st.id, st.ctx = c, id, &streamContext{}
	st.body.st = st
	st.head.length, st.head.priority, st.priority = -1, usual, usual
	st.x.Req.Stream = int(id)
	return st
}

// unused gives back a stream whose exchange never begins.
func (st *stream) unused() { st.release() }

// keptFields is for how many fields memory is kept.
const keptFields = 256

// release makes it fit for the next one, which gives it back.
func (st *stream) release() {
	s := st.c.s
	x := st.x
	x.Reset()
	if cap(x.Req.Header.F) > keptFields {
		x.Req.Header.F = nil
	}
	x.Conn, x.Front = nil, nil
	st.piece.Give()
	st.Drop()
	poison.Texts(&st.req)
	*st = stream{x: x}
	poison.Put(&s.streams, st)
}

// over reports whether nothing can be sent on it any more. Under mu.
func (st *stream) over() bool { return st.closed || st.c.gone }

// timeout is how long one read or write may take (httpd: h2_c2.c c2_post_read_request).
func (st *stream) timeout() time.Duration {
	s := st.x.Server
	if s.HTTP2.Timeout > 0 {
		return s.HTTP2.Timeout
	}
	return s.IOTimeout()
}

// abort ends a stream that its client, or what it did, has broken off: its exchange is told. Under mu.
func (c *conn) abort(by *loop.Task, st *stream) {
	if st.closed {
		return
	}
	st.closed = true
	st.turn.Set(by)
	st.comes(by)
	if i := slices.Index(c.pending, st); i >= 0 {
		c.pending = slices.Delete(c.pending, i, i+1)
		c.remove(st)
		c.taken(by, st.Unread())
		st.unused()
		c.whenIdle(by)
		c.countBroken(by, false)
		return
	}
	st.ctx.end(true)
}

// remove takes a stream off the list. Under mu.
func (c *conn) remove(st *stream) {
	c.out.rank(st, usual)
	if i := slices.Index(c.open, st); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
}

// exit takes a stream whose exchange is over off the connection.
func (st *stream) exit() {
	c, by := st.c, st.task
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(st)
	c.pump(by, nil)
	c.taken(by, st.Unread())
	if !st.over() && !st.ended && !c.last { // who still sends is told that it need not
		c.cut.add(st.id)
		c.out.B = frames.AppendReset(c.out.Buffer(16), st.id, http2.ErrCodeNo)
		c.kick(by)
	}
	if len(c.pending) > 0 && !c.gone {
		next := c.pending[0]
		c.pending = slices.Delete(c.pending, 0, 1)
		c.begin(by, next)
	}
	if !c.busy() {
		c.idle = time.Now()
		c.whenIdle(by)
	}
	if c.gone || c.last || c.ending != lives {
		c.transport.Kick(by)
	}
}

// Run serves the exchange, from its request to its log lines. t is nil for an ordinary goroutine.
func (st *stream) Run(t *loop.Task) {
	st.task = t
	sound := st.serve()
	st.ctx.end(false)
	st.exit()
	if sound {
		st.release()
	}
}
