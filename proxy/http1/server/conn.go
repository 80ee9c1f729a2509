package server

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// conn is one client's connection.
type conn struct {
	transport // the client's end
	inLoop

	// Immutable from open to drop.
	s     *Server
	info  exchange.Conn // but Kept and Logged
	began time.Time

	// Owned by the goroutine that serves it.
	k         *requestBuffers  // nil while nothing is there to be served
	server    *exchange.Server // in force before the Host is known
	rules     wire.Rules
	ruled     *exchange.Server // whose rules they are
	headBy    limit            // how long the head may take
	now       time.Time        // when the last exchange ended; zero once that is long ago
	announces bool             // it must begin with a PROXY header, which has not come
	over      bool             // no request is read any more
	broken    bool             // a panic happened: nothing is used again
	switched  bool             // another protocol goes on
	asked     any              // what it has to know of the request that asked for it; nil: it begins with its preface
	linger    bool             // the client may still be sending: its bytes are drained before the end

	// Atomic.
	state atomic.Uint32

	stats connStats

	interruptMu sync.Mutex
	interrupt   interrupter // under interruptMu: wakes whoever waits for the client; nil when the poller does not know it
	awaits      bool        // under interruptMu: nothing of a request is there, and a read waits for it outside of the loops

	next, prev *conn // under the shard's mu
}

// interrupter is what can be woken.
type interrupter interface {
	// wake ends the wait for a request of which nothing is there, and no other one. awaits reports whether
	// a read is under way that is such a wait.
	wake(awaits bool)
	// cut ends all waits for the client.
	cut()
}

func (c *conn) setState(s State) { c.state.Store(uint32(s)) }

// setInterrupt lets others wake the connection.
func (c *conn) setInterrupt(d interrupter) {
	c.interruptMu.Lock()
	c.interrupt = d
	c.interruptMu.Unlock()
}

var longAgo = time.Unix(1, 0)

// wake has the wait for the next request end now, if nothing of it is there.
func (c *conn) wake() {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	if c.interrupt != nil {
		c.interrupt.wake(c.awaits)
	}
}

// await says whether a read is such a wait, and reports whether it may begin.
func (c *conn) await(on bool) bool {
	c.interruptMu.Lock()
	defer c.interruptMu.Unlock()
	c.awaits = on
	return !on || !c.s.stopping.Load()
}

// cut has every wait for the client end now.
func (c *conn) cut() {
	c.interruptMu.Lock()
	if c.interrupt != nil {
		c.interrupt.cut()
	}
	c.interruptMu.Unlock()
}

// acquireBuffers gets what an exchange needs.
func (c *conn) acquireBuffers() *requestBuffers {
	if c.k == nil {
		c.k = c.s.buffers.Get().(*requestBuffers)
		c.plug()
	}
	return c.k
}

// releaseBuffers gives it back.
func (c *conn) releaseBuffers() {
	if c.k == nil {
		return
	}
	c.unplug()
	c.clearOut()
	k := c.k
	c.k = nil
	if !c.broken {
		k.overwrite()
	}
	k.forget()
	if !c.broken {
		poison.Put(&c.s.buffers, k)
	}
}

// advance serves the requests that are there. It returns false when one needs reads that wait, or
// when none is read any more; true: more bytes are wanted.
func (c *conn) advance() bool {
	for !c.over && c.k != nil && c.k.r < c.k.w {
		if !c.head() {
			break
		}
		c.catchUp()
		c.exchange()
	}
	return !c.over
}

// serveNet serves a connection by reads that wait.
func (c *conn) serveNet() {
	for c.advance() && c.fill() {
	}
	if c.linger {
		c.drain()
	}
}

// fill waits for bytes of the next request, with nothing held meanwhile if none of it is there.
func (c *conn) fill() bool {
	var one [1]byte
	p := one[:]
	held := c.partial()
	if held {
		p = c.k.room()
	} else if c.rest(); !c.await(true) {
		c.over = true
		return false
	}
	n, err := c.read(p, c.nextReadTimeout(time.Now()))
	if !held {
		c.await(false)
	}
	switch {
	case n > 0 && held:
		c.k.w += n
	case n > 0:
		k := c.acquireBuffers()
		k.w = copy(k.buf, p[:n])
	default:
		c.ended(err)
		return false
	}
	c.arrived(n)
	return true
}

// partial reports whether some bytes of a request are there.
func (c *conn) partial() bool { return c.k != nil && (c.k.r < c.k.w || c.begun()) }

// rest is how a connection waits for its next request.
func (c *conn) rest() {
	c.releaseBuffers()
	if c.info.Kept > 0 {
		c.setState(KeepAlive)
	}
}

// ended is the end of the client's bytes, or of its time, between requests or within a head. A graceful
// stop ends the time of those that have not begun one.
func (c *conn) ended(err error) {
	if c.announces {
		c.endWithoutProxyHeader(err)
		return
	}
	c.over = true
	switch begun := c.partial(); {
	case timedOut(err) && (begun || !c.s.stopping.Load()):
		c.late()
	case begun:
		c.cutHead()
	}
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
