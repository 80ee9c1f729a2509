package auth

import (
	"container/list"
	"context"
	"crypto/sha256"
	"net/netip"
	"sync"
)

// queue has hashes computed: as many at once as there are processors, the same check once for all who ask
// for it, and the others in turn. Turns go round between addresses, and at one address between the users
// that are asked for, so that who guesses many passwords waits for his own. Safe for use by many.
type queue struct {
	most int // at once

	mu      sync.Mutex // guards what follows
	running int
	waiting int       // in all lines
	turns   list.List // of *line, which have somebody waiting; the first is next
	lines   map[netip.Addr]*line
	checks  map[[sha256.Size]byte]*comparison // under way or waited for
}

const (
	mostWaiting = 1024 // of all addresses
	mostOfOne   = 256  // of one address
)

// line is who waits at one address.
type line struct {
	of      netip.Addr
	place   *list.Element // in queue.turns
	users   list.List     // of *userLine; the first is next
	named   map[string]*userLine
	waiting int
}

// userLine is who waits for one user's password.
type userLine struct {
	name    string
	place   *list.Element // in line.users
	waiters list.List     // of *waiter, in order of arrival
}

// waiter is one exchange that waits for its turn.
type waiter struct {
	check *comparison
	line  *line
	user  *userLine
	place *list.Element // in userLine.waiters; nil: no longer there
	turn  chan bool     // true: compute; false: there are too many
}

// comparison is one password to be held against one hash.
type comparison struct {
	key   [sha256.Size]byte
	asked int  // waiters that want to know
	begun bool // somebody computes it
	ok    bool // once done is closed
	done  chan struct{}
}

func newQueue(most int) *queue {
	return &queue{most: most, lines: map[netip.Addr]*line{}, checks: map[[sha256.Size]byte]*comparison{}}
}

// do is what compute says, computed here or by somebody else who asked for the same key. The error is
// errBusy, or the context's when it ends first.
func (q *queue) do(ctx context.Context, from netip.Addr, user string, key [sha256.Size]byte, compute func() bool) (bool, error) {
	w := q.enter(from, user, key)
	if w == nil {
		return false, errBusy
	}
	select {
	case <-w.check.done:
	case run := <-w.turn:
		if !run {
			q.leave(w)
			return false, errBusy
		}
		q.compute(w.check, compute)
	case <-ctx.Done():
		if q.leave(w) { // others count on it by now
			q.compute(w.check, compute)
		}
		return false, ctx.Err()
	}
	q.leave(w)
	return w.check.ok, nil
}

// compute computes a check and gives the turn on, even if it panics.
func (q *queue) compute(c *comparison, compute func() bool) {
	defer func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.checks, c.key)
		close(c.done)
		q.running--
		q.grant()
	}()
	c.ok = compute()
}

// enter takes a place in the lines; nil when there is none.
func (q *queue) enter(from netip.Addr, user string, key [sha256.Size]byte) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[from]
	if l == nil {
		l = &line{of: from, named: map[string]*userLine{}}
		q.lines[from] = l
	}
	if !q.admits(l) {
		q.tidy(l, nil)
		return nil
	}
	c := q.checks[key]
	if c == nil {
		c = &comparison{key: key, done: make(chan struct{})}
		q.checks[key] = c
	}
	c.asked++
	w := &waiter{check: c, line: l, user: l.lineOf(user), turn: make(chan bool, 1)}
	w.place = w.user.waiters.PushBack(w)
	l.waiting++
	q.waiting++
	if l.place == nil {
		l.place = q.turns.PushBack(l)
	}
	q.grant()
	return w
}

// admits reports whether one more may wait at an address. When there are too many in all, the address
// where most wait gives one up, the last that came for the user whose turn is last.
func (q *queue) admits(l *line) bool {
	if l.waiting >= mostOfOne {
		return false
	}
	if q.waiting < mostWaiting {
		return true
	}
	longest := l
	for _, other := range q.lines {
		if other.waiting > longest.waiting {
			longest = other
		}
	}
	if longest.waiting <= l.waiting+1 {
		return false
	}
	last := longest.users.Back().Value.(*userLine).waiters.Back().Value.(*waiter)
	q.remove(last)
	last.turn <- false
	return true
}

// lineOf is the line of one user, who gets his turn last if he had none.
func (l *line) lineOf(user string) *userLine {
	u := l.named[user]
	if u == nil {
		u = &userLine{name: user}
		u.place = l.users.PushBack(u)
		l.named[user] = u
	}
	return u
}

// grant gives turns as long as there are any. Under q.mu.
func (q *queue) grant() {
	for q.running < q.most && q.turns.Len() > 0 {
		l := q.turns.Front().Value.(*line)
		u := l.users.Front().Value.(*userLine)
		w := u.waiters.Front().Value.(*waiter)
		q.turns.MoveToBack(l.place)
		l.users.MoveToBack(u.place)
		q.remove(w)
		if w.check.begun {
			continue // it is told when the other is done
		}
		w.check.begun = true
		q.running++
		w.turn <- true
	}
}

// leave is the end of a wait, whatever ended it. turn: it was to compute, and has not begun.
func (q *queue) leave(w *waiter) (turn bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(w)
	w.check.asked--
	if w.check.asked == 0 && !w.check.begun {
		delete(q.checks, w.check.key)
	}
	select {
	case turn = <-w.turn:
	default:
	}
	return turn
}

// remove takes a waiter out of the lines. Under q.mu.
func (q *queue) remove(w *waiter) {
	if w.place == nil {
		return
	}
	w.user.waiters.Remove(w.place)
	w.place = nil
	w.line.waiting--
	q.waiting--
	q.tidy(w.line, w.user)
}

// tidy forgets lines that nobody waits in. Under q.mu.
func (q *queue) tidy(l *line, u *userLine) {
	if u != nil && u.waiters.Len() == 0 {
		l.users.Remove(u.place)
		delete(l.named, u.name)
	}
	if l.waiting == 0 {
		if l.place != nil {
			q.turns.Remove(l.place)
			l.place = nil
		}
		delete(q.lines, l.of)
	}
}
