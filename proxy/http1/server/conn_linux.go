package server

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/loop"
)

var _ loop.Job = (*conn)(nil)

// Run serves what has come in, and parks the connection: between two requests it is no more than a
// socket that the event loop watches. A connection of one request is never told to the loop.
func (c *conn) Run(t *loop.Task) {
	defer c.s.guardAccept(nobody{}) // a panic here would be the loop's end
	c.use(t)
	if c.serveRaw() {
		return
	}
	switch {
	case c.switched && c.looped != nil && c.s.looped() != nil:
		c.switchInLoop(t)
		return
	case c.switched:
		c.switchProtocol()
	}
	c.s.drop(c)
}

// serveRaw serves a socket of our own. true: it is parked, and another task may be serving it already.
func (c *conn) serveRaw() (parked bool) {
	defer c.guardConnection()
	late, kept := c.own.TimedOut(), c.info.Kept
	for !c.over {
		switch nothing := c.step(); {
		case nothing && late && c.info.Kept == kept: // nor did anything come in at the last moment
			c.ended(os.ErrDeadlineExceeded)
		case nothing && c.park():
			return true
		}
	}
	if c.linger {
		c.drain()
	}
	return false
}

// step serves the requests that are there. It returns true when nothing more is, and none of a request.
func (c *conn) step() bool {
	for !c.over {
		n, e := c.looped.try(c.acquireBuffers().room())
		switch {
		case e == syscall.EAGAIN && !c.partial():
			return true
		case e == syscall.EAGAIN:
			if !c.fill() {
				return false
			}
		case e != 0:
			c.ended(os.NewSyscallError("read", e))
			return false
		case n == 0:
			c.ended(nil)
			return false
		default:
			c.k.w += n
			c.arrived(n)
		}
		if !c.advance() {
			return false
		}
		if c.looped.drained() && !c.partial() {
			return true
		}
	}
	return false
}

// park waits for the next request, holding nothing that is not needed. false: there is something to be
// read, or no sense in waiting. After true the connection is the loop's.
func (c *conn) park() bool {
	c.rest()
	now := c.now
	if now.IsZero() {
		now = time.Now()
	}
	c.now = time.Time{}
	ok, err := c.own.Park(c.task, c, c.nextReadTimeout(now), &c.s.stopping)
	if err != nil || !ok && c.s.stopping.Load() {
		c.over = true
	}
	if !ok {
		c.use(c.task) // Park has taken the mark of what came in: the next read has to look
	}
	return ok
}

// catchUp reads the rest of a counted body that fits behind what is there, if it has arrived.
func (c *conn) catchUp() {
	k, b := c.k, &c.k.body
	if c.looped == nil || c.socket() == nil || b.chunked || b.expects || int64(len(k.buf)-k.w) < b.left {
		return
	}
	for b.left > 0 {
		n, e := c.looped.try(k.buf[k.w : k.w+int(b.left)])
		if e != 0 || n == 0 {
			return
		}
		k.w += n
		k.r = k.w
		k.read += int64(n)
		b.left -= int64(n)
		b.data = k.buf[b.base:k.w]
	}
}
