package server

import (
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/loop"
)

// The defaults and bounds of a connection; see doc.go.
const (
	defaultStreams = 100
	defaultWindow  = 65535
	connWindow     = 1 << 20
	mostHeader     = 256 << 10
	mostBroken     = 100   // streams in a row that the client broke off
	mostControls   = 10000 // frames that answer the client's and wait to be written
	mostWaiting    = 4     // times the streams at work may wait for one to end
)

// How long is waited for what a client owes.
const (
	prefaceTime  = 10 * time.Second
	goAwayTime   = time.Second     // between the two GOAWAYs of a graceful end
	leftoverTime = 2 * time.Second // for the rest of a request that nobody wants
)

// conn is one client's connection.
type conn struct {
	// Immutable.
	s         *Server
	info      *exchange.Conn
	reporter  Reporter
	server    *exchange.Server // whose settings hold for the connection
	transport transport.Transport
	begin     func(by *loop.Task, st *stream) // begins a stream's exchange beside what runs now; under mu
	limits    limits
	first     *First // the request that asked for HTTP/2, until it has begun; nil for none

	received // owned by who serves the connection

	mu        sync.Mutex
	out       output    // under mu, as all that follows
	open      []*stream // that are not closed, and at work: a stream's end and its exchange's may differ
	pending   []*stream // of them, those whose exchange waits to begin
	window    int       // how much the client may send on the connection
	credit    int       // bytes that were taken, and the client was not told of
	initial   int64     // the client's window of a new stream
	broken    int       // streams in a row that brought no whole answer
	errors    int       // of the client against the protocol
	ending    ending
	last      bool      // nothing is to be sent behind the output
	gone      bool      // the client is gone, or to be cut off: nothing is read or written any more
	idle      time.Time // since when there is no stream
	step      time.Time // when the second GOAWAY is due
	ackBy     time.Time // when the client must have acknowledged our settings; zero once it has
	newest    uint32    // the highest number of a stream that the client has opened
	served    uint32    // the highest one that is or was served
	past      past      // the streams that were open last
	cut       past      // of streams that we have reset last: what the client sent before it knew is passed over
	prefaceBy time.Time // when the client's preface and settings must be here; zero once they are
	blockBy   time.Time // when a header block that has begun must be here; zero: none has
}

// limits are a connection's, of its virtual host.
type limits struct {
	streams int
	window  int // of a stream
	header  int // bytes of a request's fields
}

// ending is how far a graceful end has come (RFC 9113 section 6.8).
type ending uint8

const (
	lives     ending = iota
	announced        // the first GOAWAY is sent: streams may still come
	final            // the second one is: none may come any more
)

func newConn(s *Server, info *exchange.Conn, reporter Reporter, server *exchange.Server) *conn {
	c := &conn{s: s, info: info, reporter: reporter, server: server}
	set := &server.HTTP2
	c.limits = limits{streams: or(set.Streams, defaultStreams), window: min(or(set.Window, defaultWindow), frames.MaxWindow), header: headerBytes(server)}
	c.window = max(c.limits.window, connWindow)
	c.initial = defaultWindow
	c.out.window, c.out.frame = defaultWindow, frames.MaxData
	if n := set.FrameLen; n > 0 {
		c.out.frame = min(n, frames.MaxData)
	}
	c.out.enc = frames.NewEncoder()
	c.out.padding = 1<<set.Padding - 1
	c.dec = hpack.NewDecoder(frames.TableSize, c.field)
	c.dec.SetMaxStringLength(c.limits.header)
	c.begin = begin
	c.idle = time.Now()
	c.prefaceBy = c.idle.Add(prefaceTime)
	return c
}

func or(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}

// headerBytes is how large a request's decoded fields may be together.
func headerBytes(s *exchange.Server) int {
	if s.LimitFields == 0 {
		return mostHeader
	}
	return min(s.LimitLine+s.LimitFields*s.LimitFieldSize, mostHeader)
}

// Hello sends our settings; what came by Upgrade is answered behind them (RFC 9113 section 3.4).
func (c *conn) Hello(by *loop.Task) {
	c.sendSettings(by)
	first := c.first
	if c.first = nil; first != nil && !c.upgrade(by, first) {
		c.mu.Lock()
		c.goAway(by, http2.ErrCodeProtocol, "")
		c.mu.Unlock()
	}
}

func (c *conn) sendSettings(by *loop.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	settings := [...]http2.Setting{
		{ID: http2.SettingMaxFrameSize, Val: frames.MaxPayload},
		{ID: http2.SettingMaxConcurrentStreams, Val: uint32(c.limits.streams)},
		{ID: http2.SettingMaxHeaderListSize, Val: uint32(c.limits.header)},
		{ID: http2.SettingInitialWindowSize, Val: uint32(c.limits.window)},
	}
	list := settings[:]
	if c.server.HTTP2.WebSockets {
		list = append(list, http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
	}
	b := frames.AppendSettings(c.out.Buffer(512), list...)
	if more := c.window - defaultWindow; more > 0 {
		b = frames.AppendWindowUpdate(b, 0, more)
	}
	c.out.B = b
	c.ackBy = time.Now().Add(c.server.IOTimeout())
	c.kick(by)
}

// find is an open stream; nil: there is none of that number. Under mu.
func (c *conn) find(id uint32) *stream {
	for i := len(c.open) - 1; i >= 0; i-- {
		if c.open[i].id == id && !c.open[i].closed {
			return c.open[i]
		}
	}
	return nil
}

// streams is how many streams are open. Under mu.
func (c *conn) streams() int {
	n := 0
	for _, st := range c.open {
		if !st.closed {
			n++
		}
	}
	return n
}

// busy reports whether streams are open or exchanges at work. Under mu.
func (c *conn) busy() bool { return len(c.open) > 0 }

// shutDown has the connection end gracefully: it is said that it will, and once a ping has come back, or a second is
// over, that no further stream is served.
func (c *conn) shutDown(by *loop.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending != lives || c.gone || c.last {
		return
	}
	c.ending = announced
	c.step = time.Now().Add(goAwayTime)
	c.out.B = frames.AppendPing(frames.AppendGoAway(c.out.Buffer(64), frames.MaxWindow, http2.ErrCodeNo), goAwayPing, 0)
	c.kick(by)
}

// goAwayPing is the ping behind the first GOAWAY.
var goAwayPing = [8]byte{'g', 'o', 'i', 'n', 'g', 'a', 'w', 'y'}

// finalGoAway says the second GOAWAY. Under mu.
func (c *conn) finalGoAway(by *loop.Task) {
	if c.ending == final || c.last {
		return
	}
	c.ending = final
	c.out.B = frames.AppendGoAway(c.out.Buffer(32), c.served, http2.ErrCodeNo)
	c.last = !c.busy()
	c.kick(by)
}

// goAway ends the connection for what the client did: GOAWAY with the reason, and no more. why is for the log; "": it
// is the client's affair. Under mu.
func (c *conn) goAway(by *loop.Task, code http2.ErrCode, why string) {
	if c.last && c.ending == final || c.gone {
		return
	}
	if why != "" {
		c.s.log(exchange.Info, nil, "AH03045: HTTP/2: "+why+", closing the connection of "+c.info.RemoteText)
	}
	c.out.B = frames.AppendGoAway(c.out.Buffer(32), c.served, code)
	c.ending, c.last = final, true
	c.abortAll(by)
	c.kick(by)
}

// Lost notes that the client is gone.
func (c *conn) Lost(by *loop.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	c.abortAll(by)
}

// abortAll gives up all streams. Under mu.
func (c *conn) abortAll(by *loop.Task) {
	for _, st := range c.pending {
		c.remove(st)
		st.unused()
	}
	c.pending = nil
	for _, st := range c.open {
		c.abort(by, st)
	}
	c.whenIdle(by)
}

// count counts what a client did against the protocol. Under mu.
func (c *conn) count(by *loop.Task) {
	if c.errors++; c.server.HTTP2.Errors > 0 && c.errors > c.server.HTTP2.Errors {
		c.goAway(by, http2.ErrCodeEnhanceYourCalm, "H2MaxStreamErrors")
	}
}

// countBroken counts streams that brought no whole answer. Under mu.
func (c *conn) countBroken(by *loop.Task, whole bool) {
	if whole {
		c.broken = 0
	} else if c.broken++; c.broken == mostBroken {
		c.goAway(by, http2.ErrCodeEnhanceYourCalm, "one stream after the other is broken off")
	}
}

// Over reports whether the connection is: the client is gone, and no exchange is at work.
func (c *conn) Over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone && len(c.open) == 0
}

// Gone reports whether nothing is read or written any more.
func (c *conn) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// Last reports whether all has been written that ever will be.
func (c *conn) Last() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last && len(c.out.B) == 0
}

// Timeout is how long the client may take nothing.
func (c *conn) Timeout() time.Duration { return c.server.IOTimeout() }

// Panicked tells the log of a panic that ends the connection.
func (c *conn) Panicked(p any) { c.s.panicked(p, " while serving "+c.info.RemoteText) }

// Large reports whether so much is to be written that it should be, before more is read.
func (c *conn) Large() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out.B) >= frames.MaxPayload
}

// Due is after how long HandleTimeouts may have something to do.
func (c *conn) Due(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.last {
		return never
	}
	return c.nextDue(now)
}

// never is the end of a wait that has none.
const never = time.Hour

// HandleTimeouts does what is due.
func (c *conn) HandleTimeouts(by *loop.Task, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.last {
		return
	}
	if c.ending == announced && !now.Before(c.step) {
		c.finalGoAway(by)
	}
	switch {
	case !c.ackBy.IsZero() && !now.Before(c.ackBy):
		c.goAway(by, http2.ErrCodeSettingsTimeout, "")
	case !c.prefaceBy.IsZero() && !now.Before(c.prefaceBy), !c.blockBy.IsZero() && !now.Before(c.blockBy):
		c.goAway(by, http2.ErrCodeProtocol, "")
	case !c.busy() && !now.Before(c.idleUntil()):
		c.finalGoAway(by)
	}
}

// idleUntil is when a connection without streams ends.
func (c *conn) idleUntil() time.Time {
	return c.idle.Add(max(c.server.KeepAliveTimeout, time.Millisecond))
}

// nextDue is how long nothing is to be done. Under mu.
func (c *conn) nextDue(now time.Time) time.Duration {
	next := now.Add(never)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if c.ending == announced {
		sooner(c.step)
	}
	sooner(c.ackBy)
	sooner(c.prefaceBy)
	sooner(c.blockBy)
	if !c.busy() {
		sooner(c.idleUntil())
	}
	return max(next.Sub(now), time.Millisecond)
}

// whenIdle notes that there may be no stream any more. Under mu.
func (c *conn) whenIdle(by *loop.Task) {
	if c.busy() {
		return
	}
	c.open, c.pending, c.out.waiting = frames.Emptied(c.open), frames.Emptied(c.pending), frames.Emptied(c.out.waiting)
	if c.ending == final && !c.last {
		c.last = true
		c.kick(by)
	}
}
