package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/backend"
	"balancerd/proxy/http2/frames"
	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/recovery"
)

// The bounds of a connection; see doc.go.
const (
	memberStreams = 100
	memberWindow  = 128 << 10
	memberHeader  = 256 << 10
	connWindow    = memberStreams * memberWindow
	defaultWindow = 65535
	mostStreams   = 1 << 30 // number of the last stream
	mostControls  = 10000   // frames that answer the member's and wait to be written
	mostSettings  = 100     // settings of a frame
	never         = time.Hour
)

// Why a connection, or what was to become one, is of no use.
var (
	errUnmade = errors.New("http2: no connection was made")
	errSilent = errors.New("http2: the member does not answer a PING")
	errClosed = errors.New("http2: the member closed the connection")
	errGoAway = errors.New("http2: the member said GOAWAY")
)

// conn is a connection to a member.
type conn struct {
	// Immutable.
	list      *clients
	from      *backend.Conn
	kind      kind
	exclusive bool
	timeout   time.Duration // how long the member may take nothing
	transport transport.Transport
	socket    socket

	received // owned by who serves the connection

	mu       sync.Mutex
	out      frames.Output // under mu, as all that follows
	enc      frames.Encoder
	kicked   bool
	controls int       // frames of out that answer the member's
	streams  []*stream // whose request has begun, and that are not over
	promised int       // places for streams that have not begun
	next     uint32    // the number of the next stream
	most     int       // SETTINGS_MAX_CONCURRENT_STREAMS
	initial  int64     // the member's window of a new stream
	window   int64     // what its window of the connection lets through
	room     int       // how much it may send
	credit   int       // bytes that were taken, and it was not told of
	waiting  []*stream // that want to append
	closing  bool      // no further place is promised
	refuses  bool      // the member serves no further stream
	last     bool      // nothing is to be sent behind the output
	gone     bool      // nothing is read or written any more
	used     bool      // it has brought an answer
	freed    int64     // when a stream ended last, by backend.Clock; at first when it was made
	resumed  bool      // streams have begun since it was idle, and nothing was written yet
	pingBy   time.Time // when a PING must be answered; zero: there is none
	heard    int64     // frames that came
	doubtful bool      // a stream has waited in vain, and nothing came since: no other one begins
	pinging  []*stream // who waits for the answer to a PING
}

func newConn(list *clients, from *backend.Conn, k kind, exclusive bool, timeout time.Duration) *conn {
	c := &conn{list: list, from: from, kind: k, exclusive: exclusive, timeout: timeout, next: 1, most: memberStreams, initial: defaultWindow,
		window: defaultWindow, room: connWindow, enc: frames.NewEncoder(), freed: backend.Clock()}
	c.dec = hpack.NewDecoder(frames.TableSize, c.field)
	c.dec.SetMaxStringLength(memberHeader)
	b := append(c.out.Buffer(256), http2.ClientPreface...)
	b = frames.AppendSettings(b, http2.Setting{ID: http2.SettingEnablePush}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: memberWindow},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: memberHeader})
	c.out.B = frames.AppendWindowUpdate(b, 0, connWindow-defaultWindow)
	return c
}

// serveByGoroutines has goroutines serve the connection: no event loop watches it.
func (c *conn) serveByGoroutines() {
	l := transport.NewGoroutines(c, c.socket.nc)
	c.transport = l
	recovery.Go("serving a member's connection of HTTP/2", func() {
		defer c.from.Release(false)
		l.Serve()
	})
}

// Hello has written what goes first, which is there already.
func (c *conn) Hello(by *loop.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kick(by)
}

// kick has the output be written soon. Under mu.
func (c *conn) kick(by *loop.Task) {
	if !c.kicked && !c.gone {
		c.kicked = true
		c.transport.Kick(by)
	}
}

// control appends a frame that answers the member's; too many that wait end the connection. Under mu.
func (c *conn) control(by *loop.Task, b []byte) error {
	c.out.B = b
	if c.controls++; c.controls > mostControls {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	c.kick(by)
	return nil
}

// promise promises a place for a stream, if there is one.
func (c *conn) promise() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.doubtful || c.exclusive || len(c.streams)+c.promised >= min(c.most, memberStreams) {
		return false
	}
	c.promised++
	return true
}

// release takes a promise back.
func (c *conn) release(by *loop.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.promised--
	c.freePlace(by)
}

// find is a stream that is not over; nil: there is none of that number. Under mu.
func (c *conn) find(id uint32) *stream {
	for i := len(c.streams) - 1; i >= 0; i-- {
		if c.streams[i].id == id {
			return c.streams[i]
		}
	}
	return nil
}

// remove takes a stream off. Under mu.
func (c *conn) remove(by *loop.Task, s *stream) {
	i := slices.Index(c.streams, s)
	if i < 0 {
		return
	}
	c.streams = slices.Delete(c.streams, i, i+1)
	c.waiting = without(c.waiting, s)
	c.freed = backend.Clock()
	c.freePlace(by)
}

func without(list []*stream, s *stream) []*stream {
	if i := slices.Index(list, s); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// freePlace notes that there is place for one stream more. Under mu.
func (c *conn) freePlace(by *loop.Task) {
	idles := c.idles()
	c.list.placeFree(by, c.kind, idles)
	if idles {
		c.streams, c.waiting = frames.Emptied(c.streams), frames.Emptied(c.waiting)
		c.endIdle(by)
	}
}

// idles reports whether there is no stream. Under mu.
func (c *conn) idles() bool { return len(c.streams)+c.promised == 0 }

// endIdle ends a connection without streams, if none is to begin on it any more: also one whose member takes none, or each
// request would leave one behind. Under mu.
func (c *conn) endIdle(by *loop.Task) {
	if c.idles() && (c.closing || c.exclusive || c.most == 0) {
		c.goodbye(by, http2.ErrCodeNo)
	}
}

// goodbye says GOAWAY, and no more. Under mu.
func (c *conn) goodbye(by *loop.Task, code http2.ErrCode) {
	if c.closing = true; c.last || c.gone {
		return
	}
	c.last = true
	c.out.B = frames.AppendGoAway(c.out.Buffer(32), 0, code)
	c.kick(by)
}

// shut ends the connection once its streams are over.
func (c *conn) shut(by *loop.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	c.endIdle(by)
}

// cut ends the connection at once, for a reason that its streams get.
func (c *conn) cut(by *loop.Task, why error) {
	c.mu.Lock()
	c.closing, c.gone = true, true
	c.failAll(by, why)
	c.kicked = true
	c.transport.Kick(by)
	c.mu.Unlock()
	c.list.drop(c)
}

// failAll ends all streams. Under mu.
func (c *conn) failAll(by *loop.Task, why error) {
	for _, s := range c.streams {
		s.fault = why
		s.event.Set(by)
	}
	for _, s := range c.pinging {
		s.event.Set(by)
	}
	c.streams, c.waiting, c.pinging = nil, nil, nil
}

// Lost notes that the member is gone.
func (c *conn) Lost(by *loop.Task) { c.lost(by, errClosed) }

func (c *conn) lost(by *loop.Task, why error) {
	c.mu.Lock()
	if len(c.streams) > 0 && c.undelivered() {
		why = errUntouched{why}
	}
	c.closing, c.gone = true, true
	c.failAll(by, why)
	c.mu.Unlock()
	c.list.drop(c)
}

// errUntouched says that the member has seen nothing of the request.
type errUntouched struct{ error }

func (e errUntouched) Unwrap() error { return e.error }

// Take takes the output to be written. Who waits to append has place then.
func (c *conn) Take(by *loop.Task) frames.Output {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kicked, c.controls = false, 0
	c.noteSent()
	w := c.out.Take()
	if len(w.B) > 0 {
		c.wake(by)
	}
	return w
}

// wake has those who want to append try again. Under mu.
func (c *conn) wake(by *loop.Task) {
	for i, s := range c.waiting {
		s.event.Set(by)
		c.waiting[i] = nil
	}
	c.waiting = c.waiting[:0]
}

// Wrote gives back what was written.
func (c *conn) Wrote(w frames.Output) { w.Give() }

// Large reports whether so much is to be written that it should be, before more is read.
func (c *conn) Large() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out.B) >= frames.MaxPayload
}

// Timeout is how long the member may take nothing.
func (c *conn) Timeout() time.Duration { return c.timeout }

// isClosing reports whether no further stream begins on it.
func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// Gone reports whether nothing is read or written any more.
func (c *conn) Gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// Over is the same: whose stream is not over knows of it.
func (c *conn) Over() bool { return c.Gone() }

// Last reports whether all was taken that will ever be sent.
func (c *conn) Last() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last && len(c.out.B) == 0
}

// Panicked gives the connection up after a panic.
func (c *conn) Panicked(p any) {
	recovery.Note(p, "serving a member's connection of HTTP/2")
	c.lost(nil, fmt.Errorf("panic: %v", p))
}

// Due is after how long HandleTimeouts has something to do.
func (c *conn) Due(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pingBy.IsZero() || c.gone {
		return never
	}
	return max(c.pingBy.Sub(now), time.Millisecond)
}

// HandleTimeouts ends a connection whose member does not answer a PING.
func (c *conn) HandleTimeouts(by *loop.Task, now time.Time) {
	c.mu.Lock()
	over := !c.pingBy.IsZero() && !now.Before(c.pingBy) && !c.gone
	c.mu.Unlock()
	if over {
		c.cut(by, errSilent)
	}
}

// pingData is what our PINGs carry.
var pingData = [8]byte{'b', 'a', 'l', 'a', 'n', 'c', 'e', 'r'}

// ping asks whether the member is alive: it must say so within the limit. Under mu.
func (c *conn) ping(by *loop.Task, limit time.Duration) {
	if !c.pingBy.IsZero() || c.last || c.gone {
		return
	}
	c.pingBy = time.Now().Add(limit)
	c.out.B = frames.AppendPing(c.out.Buffer(32), pingData, 0)
	c.kick(by)
}

// ponged takes in the answer. Under mu.
func (c *conn) ponged(by *loop.Task) {
	for _, s := range c.pinging {
		s.event.Set(by)
	}
	c.pinging, c.pingBy = nil, time.Time{}
	if c.doubtful {
		c.doubtful = false
		c.list.placesFree(by)
	}
}

// isAlive asks a connection that idles whether it is alive: ping= (httpd: mod_proxy_http2.c). Who asks holds a promise.
func (c *conn) isAlive(ctx context.Context, s *stream, limit time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.streams) > 0 {
		return true
	}
	c.ping(s.task(), limit)
	for end := time.Now().Add(limit); !c.gone && !c.pingBy.IsZero(); {
		if s.gaveUp(ctx) { // others may use it
			return true
		}
		left := time.Until(end)
		if left <= 0 {
			return false
		}
		c.pinging = append(c.pinging, s)
		c.mu.Unlock()
		s.event.Wait(s.task(), left) // an error: its time is over
		c.mu.Lock()
		c.pinging = without(c.pinging, s)
	}
	return !c.gone
}

// doubt notes that a stream has waited in vain since heard frames had come: if nothing came since, the member has to
// show that it is there before further streams begin.
func (c *conn) doubt(by *loop.Task, heard int64) {
	if c.heard != heard || c.gone {
		return
	}
	c.doubtful = true
	c.ping(by, c.timeout)
}
