package http1

import (
	"os"
	"syscall"
	"time"
)

// serveRaw serves a socket of our own. As long as nothing has to be waited for, the poller does not
// hear of it: a connection of one request never does.
func (c *conn) serveRaw() {
	if left := c.step(c.fd); !c.over {
		c.inside = false
		if c.known() && left {
			c.slow()
		}
		c.rounds()
	}
	c.inside = false
	if c.linger && c.known() {
		c.drain()
	}
}

// rounds serves the connection from inside the poller's callback, again and again.
func (c *conn) rounds() {
	step := c.step
	for !c.over {
		c.inside = true
		err := c.io.Enter(step)
		c.inside = false
		if err != nil {
			c.ended(err)
			return
		}
		c.slow()
	}
}

// slow serves a request that needs reads that wait, and what came with it.
func (c *conn) slow() {
	if c.pending && !c.over {
		c.pending = false
		c.exchange()
	}
	c.advance()
}

// known has the poller know the connection.
func (c *conn) known() bool {
	if c.file != nil {
		return true
	}
	if err := c.register(); err != nil {
		c.over, c.linger = true, false
		return false
	}
	c.setPoke(c.file)
	return true
}

// step runs inside the poller's callback for as long as requests are there whole: edges that arrive
// meanwhile are kept by the poller, so that after a short read it can go straight back to waiting. It
// returns true to leave the callback.
func (c *conn) step(fd uintptr) bool {
	for {
		room := c.need().room()
		n, e := c.try(room)
		switch {
		case e == syscall.EAGAIN:
			return c.sleep()
		case e != 0:
			c.ended(os.NewSyscallError("read", e))
			return true
		case n == 0:
			c.ended(nil)
			return true
		}
		c.k.w += n
		c.arrived(n)
		fresh := c.info.Kept == 0
		if !c.advance() {
			return true
		}
		if n < len(room) && !fresh { // of a fresh connection the end may have come as well
			return c.sleep()
		}
	}
}

// sleep waits for the client, holding nothing that is not needed.
func (c *conn) sleep() bool {
	if !c.partial() {
		c.rest()
	}
	if c.file == nil { // on the way to the poller
		return false
	}
	now := c.now
	if now.IsZero() {
		now = time.Now()
	}
	c.now = time.Time{}
	c.io.Sleep(now, c.patience(now))
	if c.s.stopping.Load() && c.k == nil {
		c.over = true
		return true
	}
	return false
}

// catchUp reads the rest of a counted body that fits behind what is there, if it has arrived.
func (c *conn) catchUp() bool {
	k, b := c.k, &c.k.body
	for b.left > 0 {
		n, e := c.try(k.buf[k.w : k.w+int(b.left)])
		if e != 0 || n == 0 {
			return false
		}
		k.w += n
		k.r = k.w
		k.read += int64(n)
		b.left -= int64(n)
		b.data = k.buf[b.base:k.w]
	}
	return true
}
