package server

import (
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// output is what is to be sent on a connection. Under the connection's mu.
type output struct {
	frames.Output
	granted  int   // bytes of frames that streams may append
	controls int   // frames of b that answer the client's: their number is bounded
	window   int64 // what the client's window of the connection lets through
	frame    int   // the most payload of a DATA frame
	padding  int   // the most bytes of padding of a frame
	waiting  []*stream
	ranked   int   // streams whose client has said how urgent they are
	kicked   bool  // the connection has been told of b
	sent     int64 // bytes that were written so far
	answered int64 // bytes of answers' bodies that were granted so far
	enc      frames.Encoder
}

// Take takes the output to be written. What streams wait to append has its place then.
func (c *conn) Take(by *loop.Task) frames.Output {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := &c.out
	w := o.Take()
	o.controls, o.kicked = 0, false
	if len(w.B) > 0 {
		c.pump(by, nil)
	}
	return w
}

// Wrote gives back what was written, and notes how much it was.
func (c *conn) Wrote(w frames.Output) {
	n := len(w.B)
	w.Give()
	c.mu.Lock()
	c.out.sent += int64(n)
	c.mu.Unlock()
}

// kick has the output be written soon. Under mu.
func (c *conn) kick(by *loop.Task) {
	if !c.out.kicked && !c.gone {
		c.out.kicked = true
		c.transport.Kick(by)
	}
}

// control appends a frame that answers the client's; too many that wait end the connection. Under mu.
func (c *conn) control(by *loop.Task, b []byte) {
	c.out.B = b
	if c.out.controls++; c.out.controls > mostControls && !c.last {
		c.goAway(by, http2.ErrCodeEnhanceYourCalm, "it takes no answers to its frames")
	}
	c.kick(by)
}

// grant is what a stream may append.
type grant struct {
	wanted int  // bytes of DATA; 0: frames that no window holds back
	n      int  // bytes of DATA
	given  bool // it may append
}

// lock is lockAs of the task that serves the exchange.
func (st *stream) lock(n int) (granted int, err error) { return st.lockAs(st.task, n) }

// lockAs waits until a stream may append up to n bytes of DATA, or other frames with n == 0, and locks mu then: the
// caller appends what was granted and unlocks. After an error nothing is locked.
func (st *stream) lockAs(t *loop.Task, n int) (granted int, err error) {
	c := st.c
	c.mu.Lock()
	if st.over() {
		c.mu.Unlock()
		return 0, errGone
	}
	st.grant, st.sending = grant{wanted: n}, true
	c.out.waiting = append(c.out.waiting, st)
	c.pump(t, st)
	for !st.grant.given {
		sent, limit := c.out.sent, st.turnTimeout()
		c.mu.Unlock()
		err := st.turn.Wait(t, limit)
		c.mu.Lock()
		switch {
		case st.over():
			c.withdraw(st)
			c.mu.Unlock()
			return 0, errGone
		case st.turnTimeout() <= 0 && !st.grant.given:
			c.withdraw(st)
			c.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case err != nil && !st.grant.given && (c.out.sent == sent || n > 0 && st.window <= 0):
			c.withdraw(st)
			c.mu.Unlock()
			return 0, err
		}
	}
	c.out.granted -= st.grant.n
	return st.grant.n, nil
}

// turnTimeout is how long a stream waits for its turn. Under mu.
func (st *stream) turnTimeout() time.Duration {
	if st.socket != nil && !st.socket.writeBy.IsZero() {
		return time.Until(st.socket.writeBy)
	}
	return st.timeout()
}

// withdraw takes a stream out of those who wait, and back what it was granted. Under mu.
func (c *conn) withdraw(st *stream) {
	if st.grant.given {
		c.out.granted -= st.grant.n
		c.out.window += int64(st.grant.n)
		st.window += int64(st.grant.n)
		st.grant = grant{}
		return
	}
	if i := slices.Index(c.out.waiting, st); i >= 0 {
		c.out.waiting = slices.Delete(c.out.waiting, i, i+1)
	}
}

// pump grants what there is place for: to the most urgent first. who, who calls, needs no waking. Under mu.
func (c *conn) pump(by *loop.Task, who *stream) {
	o := &c.out
	for len(o.waiting) > 0 {
		place := frames.MaxOutput - len(o.B) - o.granted
		i := c.next(place)
		if i < 0 {
			return
		}
		st := o.waiting[i]
		o.waiting = slices.Delete(o.waiting, i, i+1)
		st.grant.given = true
		if st.grant.wanted > 0 {
			n := c.share(st, place)
			st.grant.n = n
			st.window -= int64(n)
			o.window -= int64(n)
			o.granted += n
			o.answered += int64(n)
		}
		if st != who {
			st.turn.Set(by)
		}
	}
}

// pad is how many bytes of padding a frame gets, with the one that says so: by chance (httpd: h2_session.c
// select_padding_cb).
func (o *output) pad() int {
	if o.padding == 0 {
		return 0
	}
	return 1 + rand.IntN(o.padding+1)
}

// giveBack takes n bytes back of those that a stream was granted. Under mu.
func (c *conn) giveBack(st *stream, n int) {
	if n > 0 {
		st.window += int64(n)
		c.out.window += int64(n)
		c.pump(st.task, st)
	}
}

// share is how many bytes of DATA a stream may append now.
func (c *conn) share(st *stream, place int) int {
	return int(min(int64(min(st.grant.wanted, c.out.frame, place)), st.window, c.out.window))
}

// rank gives a stream a priority. Under mu.
func (o *output) rank(st *stream, p priority) {
	if st.priority != usual {
		o.ranked--
	}
	if st.priority = p; p != usual {
		o.ranked++
	}
}

// leader is the stream that others have to wait for although it does not wait itself just now: it is about to append
// more. nil: there is none.
func (c *conn) leader() (best *stream) {
	if c.out.ranked == 0 {
		return nil
	}
	for _, st := range c.open {
		if st.sending && !st.over() && st.window > 0 && (best == nil || st.before(best)) {
			best = st
		}
	}
	return best
}

// pause has others go first: what a stream sends next is to be waited for.
func (st *stream) pause() {
	st.c.mu.Lock()
	defer st.c.mu.Unlock()
	st.rest(st.task)
}

// rest is pause under mu; t is the task that sends, nil a goroutine.
func (st *stream) rest(t *loop.Task) {
	if st.sending = false; st.c.out.ranked > 0 {
		st.c.pump(t, nil)
	}
}

// next is which of those who wait goes first; -1: none can.
func (c *conn) next(place int) int {
	best := -1
	if place <= 0 {
		return best
	}
	leader := c.leader()
	for i, st := range c.out.waiting {
		if w := st.grant.wanted; w > 0 && (st.window <= 0 || c.out.window <= 0 || place < min(w, c.out.frame)) {
			continue
		}
		if leader != nil && leader != st && leader.before(st) {
			continue
		}
		if best < 0 || st.before(c.out.waiting[best]) {
			best = i
		}
	}
	return best
}
