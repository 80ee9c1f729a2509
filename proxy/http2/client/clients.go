package client

import (
	"container/list"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// clients are the connections to one worker. They live as long as the worker, over reloads.
type clients struct {
	worker *balancer.Worker // immutable
	known  atomic.Bool      // see backend.Keep

	mu      sync.Mutex
	list    []*conn           // under mu: those that streams may begin on
	dialing map[kind]*dialing // under mu
	closed  bool              // under mu: the worker is gone

	waits   sync.Mutex // a leaf: nothing is locked under it
	waiting list.List  // under waits: a *waiter for each stream that waits for a place on a connection
}

// waiter is a stream that waits for a place on a connection of a kind.
type waiter struct {
	stream *stream
	kind   kind
}

type clientsKey struct{}

func clientsOf(w *balancer.Worker) *clients {
	if c, ok := w.Attached(clientsKey{}).(*clients); ok {
		return c
	}
	return w.Attach(clientsKey{}, &clients{worker: w, dialing: map[kind]*dialing{}}).(*clients)
}

// kind keeps connections apart: one whose handshake was for a name carries no request for another one.
type kind struct {
	tls    *backend.TLS
	name   string // in memory of its own: it lives as long as the connection, the call's text no longer than its exchange
	source netip.Addr
	header string // the PROXY header that they begin with, likewise
}

func (s *stream) kind() kind {
	k := kind{source: s.Call.Source, header: strings.Clone(backend.Announcement(s.Worker, s.X, s.Call))}
	if s.secure() {
		k.tls, k.name = s.Call.TLS, strings.Clone(s.Call.Name)
	}
	return k
}

// dialing is a connection being made; whoever else wants one waits for it.
type dialing struct {
	waiting   []*stream // under clients.mu
	over      bool      // under clients.mu, as what follows
	err       error
	abandoned bool // who was at it gave up, which says nothing about the member
}

// Close lets the streams end; the worker is gone from the configuration.
func (s *clients) Close() error {
	s.mu.Lock()
	list := s.list
	s.closed, s.list = true, nil
	s.mu.Unlock()
	for _, c := range list {
		c.shut(nil)
	}
	return nil
}

// find is a connection on which a place for one more stream was promised: one that is there, else a new one.
func (s *clients) find(ctx context.Context, st *stream, exclusive bool) (*conn, error) {
	k := st.kind()
	set := st.Worker.Settings()
	if set.DisableReuse.V || st.Call.Host != "" || st.Call.Socket != "" || exclusive {
		return s.dial(ctx, st, k, true)
	}
	backend.Refresh(ctx, st.Worker, st.X, st.Call)
	for {
		c, d, mine := s.look(st, k, set)
		switch {
		case c != nil:
			if !set.Ping.Set || c.isAlive(ctx, st, set.Ping.V) {
				return c, nil
			}
			c.release(st.task())
			c.cut(st.task(), errSilent)
			continue
		case d == nil:
			if err := s.await(ctx, st, k, set); err != nil {
				return nil, err
			}
			continue
		case mine:
			return s.connect(ctx, st, k, d)
		}
		if err := s.awaitDialing(ctx, st, d); err != nil {
			return nil, err
		}
	}
}

// look is a connection that can carry one more stream, the place on it promised; or a dialing: to wait for, or
// to be done by the caller. Neither: as many connections as max= allows are busy, and the stream is
// among those that wait for a place.
func (s *clients) look(st *stream, k kind, set *balancer.WorkerSettings) (c *conn, d *dialing, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropUseless(st.task(), func(_ *conn, since int64) bool { return set.TTL > 0 && backend.Clock()-since >= int64(set.TTL) })
	if c := s.choose(st.task(), k); c != nil {
		return c, nil, false
	}
	if d = s.dialing[k]; d != nil {
		d.waiting = append(d.waiting, st)
		return nil, d, false
	}
	if s.full(set) && !s.dropIdle(st.task(), anyConn) {
		s.addWaiter(st, k)
		// What came free in between?
		if c := s.choose(st.task(), k); c != nil {
			s.removeWaiter(st, k, true)
			return c, nil, false
		}
		if !s.dropIdle(st.task(), anyConn) {
			return nil, nil, false
		}
		s.removeWaiter(st, k, true)
	}
	d = &dialing{}
	s.dialing[k] = d
	return nil, d, true
}

// full reports whether there are as many connections as max= allows, or will be. Under mu.
func (s *clients) full(set *balancer.WorkerSettings) bool {
	return set.Max > 0 && len(s.list)+len(s.dialing) >= set.Max
}

// choose is the connection of a kind that carries a stream next: rather one of the loop that serves the exchange. Under mu.
func (s *clients) choose(t *loop.Task, k kind) *conn {
	for _, near := range [...]bool{true, false} {
		for _, c := range s.list {
			if c.kind == k && c.near(t) == near && c.promise() {
				return c
			}
		}
	}
	return nil
}

// await waits for a place on a connection, as long as acquire= says. The place is nobody's: who asks just then may have it,
// and the stream waits again, behind the others.
func (s *clients) await(ctx context.Context, st *stream, k kind, set *balancer.WorkerSettings) error {
	givesUp := true
	defer func() { s.removeWaiter(st, k, givesUp) }()
	limit := never
	if set.Acquire.Set {
		limit = set.Acquire.V
	}
	for end := time.Now().Add(limit); ; {
		left := time.Until(end)
		if left <= 0 {
			a := s.worker.Address()
			st.X.LogServer("proxy", exchange.Error, nil, st.X.Arena.Join("AH00941: ", a.Scheme, ": failed to acquire connection for (", a.Host, ":", st.X.Arena.Int(int64(a.Port)), ")"))
			return st.Fail(backend.Exhausted, context.DeadlineExceeded)
		}
		err := st.event.Wait(st.task(), left)
		switch {
		case st.gaveUp(ctx):
			return st.Fail(backend.Exhausted, context.Canceled)
		case err == nil:
			givesUp = false
			return nil
		}
	}
}

// addWaiter puts a stream behind those that wait.
func (s *clients) addWaiter(st *stream, k kind) {
	s.waits.Lock()
	defer s.waits.Unlock()
	st.waits = s.waiting.PushBack(&waiter{st, k})
}

// removeWaiter takes a stream off those that wait. If it was told of a place already, which it does not take, the next one
// is told.
func (s *clients) removeWaiter(st *stream, k kind, passesOn bool) {
	s.waits.Lock()
	defer s.waits.Unlock()
	switch {
	case st.waits != nil:
		s.waiting.Remove(st.waits)
		st.waits = nil
	case passesOn:
		e := s.first(k)
		if e == nil { // the connection may idle
			e = s.waiting.Front()
		}
		if e != nil {
			s.tell(st.task(), e)
		}
	}
}

// placeFree tells one stream that a place has come free on a connection of a kind: who waits first for that kind, or, if
// the connection idles and may give way to one of another kind, who waits first at all. To tell all would cost a burst
// of streams their number squared. It may be called under a connection's mu.
func (s *clients) placeFree(by *loop.Task, k kind, idles bool) {
	s.waits.Lock()
	defer s.waits.Unlock()
	e := s.waiting.Front()
	if !idles {
		e = s.first(k)
	}
	if e != nil {
		s.tell(by, e)
	}
}

// placesFree tells all who wait that there may be places, or a connection to be made. It may be called under a
// connection's mu.
func (s *clients) placesFree(by *loop.Task) {
	s.waits.Lock()
	defer s.waits.Unlock()
	for e := s.waiting.Front(); e != nil; e = s.waiting.Front() {
		s.tell(by, e)
	}
}

// first is who waits first for a connection of a kind; nil: nobody does. Under waits.
func (s *clients) first(k kind) *list.Element {
	for e := s.waiting.Front(); e != nil; e = e.Next() {
		if e.Value.(*waiter).kind == k {
			return e
		}
	}
	return nil
}

// tell has a stream look for a place; it waits no more. Under waits.
func (s *clients) tell(by *loop.Task, e *list.Element) {
	st := s.waiting.Remove(e).(*waiter).stream
	st.waits = nil
	st.event.Set(by)
}

// awaitDialing waits until a connection is made.
func (s *clients) awaitDialing(ctx context.Context, st *stream, d *dialing) error {
	for {
		s.mu.Lock()
		over, err, abandoned := d.over, d.err, d.abandoned
		if !over && st.gaveUp(ctx) {
			d.waiting = slices.DeleteFunc(d.waiting, func(o *stream) bool { return o == st })
			over, err = true, st.Fail(backend.Exhausted, context.Canceled)
		}
		s.mu.Unlock()
		switch {
		case !over:
			st.event.Wait(st.task(), never)
		case err != nil && !abandoned:
			return err
		default:
			return nil
		}
	}
}

// connect makes a connection, for all who wait for it.
func (s *clients) connect(ctx context.Context, st *stream, k kind, d *dialing) (c *conn, err error) {
	err = st.Fail(backend.EarlyClose, errUnmade) // what others get when making it panics
	defer func() { s.dialed(ctx, st, k, d, c, err) }()
	return s.dial(ctx, st, k, false)
}

// dialed ends a dialing.
func (s *clients) dialed(ctx context.Context, st *stream, k kind, d *dialing, c *conn, err error) {
	s.mu.Lock()
	delete(s.dialing, k)
	switch {
	case err != nil:
	case s.closed:
		c.shut(st.task())
	default:
		s.makeRoom(st.task(), k)
		if s.list = append(s.list, c); c.from.Wanted() {
			c.shut(st.task())
		}
	}
	d.over, d.err, d.abandoned = true, err, err != nil && st.gaveUp(ctx)
	for _, w := range d.waiting {
		w.event.Set(st.task())
	}
	s.mu.Unlock()
	s.placesFree(st.task())
	if err == nil {
		backend.Keep(s, &s.known)
		if c.Gone() { // before it was on the list
			s.drop(c)
		}
	}
}

// drop takes a connection off the list: no further stream begins on it.
func (s *clients) drop(c *conn) {
	s.mu.Lock()
	s.unlist(c)
	s.mu.Unlock()
	s.placesFree(nil)
}

// dial makes a connection, with a place on it promised. An exclusive one carries just that stream: nobody else
// finds it, and it ends with the attempt.
func (s *clients) dial(ctx context.Context, st *stream, k kind, exclusive bool) (*conn, error) {
	from, err := backend.AcquireFresh(ctx, st.Worker, st.X, st.Call, func() { s.giveUp(st.task(), k, exclusive) })
	if err != nil {
		return nil, err
	}
	c := newConn(s, from, k, exclusive, st.timeout)
	c.promised = 1
	c.start(st.task())
	return c, nil
}
