package client

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"balancerd/balancer"
	"balancerd/proxy/backend"
)

// clients are the connections to one worker. They live as long as the worker, over reloads.
type clients struct {
	worker *balancer.Worker // immutable
	known  atomic.Bool      // see backend.Keep

	mu      sync.Mutex
	list    []*client         // under mu
	dialing map[kind]*dialing // under mu
	closed  bool              // under mu: the worker is gone
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
}

func (s *stream) kind() kind {
	k := kind{source: s.Call.Source}
	if s.secure() {
		k.tls, k.name = s.Call.TLS, strings.Clone(s.Call.Name)
	}
	return k
}

// client is a connection to a member.
type client struct {
	cc        *http2.ClientConn
	conn      *backend.Conn // below it
	kind      kind
	used      atomic.Bool  // it has carried a stream
	freed     atomic.Int64 // when an attempt ended last, by backend.Clock; at first when it was made
	exclusive bool         // for one stream alone; immutable
}

// dialing is a connection being made; whoever else wants one waits for it.
type dialing struct {
	done      chan struct{}
	err       error // before done is closed
	abandoned bool  // before done is closed: who was at it gave up, which says nothing about the member
}

// Close lets the streams end; the worker is gone from the configuration.
func (s *clients) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.list {
		go c.retire()
	}
	s.list = nil
	return nil
}

// retire ends a connection once its streams are over.
func (c *client) retire() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if c.cc.Shutdown(ctx) != nil {
		c.cc.Close()
	}
}

// find is a connection that can carry one more stream: one that is there, else a new one.
func (s *clients) find(ctx context.Context, st *stream, exclusive bool) (*client, error) {
	k := st.kind()
	set := st.Worker.Settings()
	if set.DisableReuse.V || st.Call.Host != "" || st.Call.Socket != "" || exclusive {
		return dial(ctx, st, k, true)
	}
	backend.Refresh(ctx, st.Worker, st.X, st.Call)
	for {
		c, d, mine := s.look(k, set.TTL)
		switch {
		case c != nil:
			if set.Ping.Set && !c.isAlive(ctx, set.Ping.V) {
				if ctx.Err() != nil {
					return c, nil // who asks gave up, and others may use it; x/net takes the stream back
				}
				s.drop(c)
				c.cc.Close()
				continue
			}
			return c, nil
		case mine:
			return s.connect(ctx, st, k, d)
		}
		select {
		case <-d.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if d.err != nil && !d.abandoned {
			return nil, d.err
		}
	}
}

// look is a connection that can carry one more stream, or a dialing to wait for, or one to be done by the caller.
func (s *clients) look(k kind, ttl time.Duration) (c *client, d *dialing, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(c *client) bool {
		st := c.cc.State()
		since, idle := c.idleSince()
		old := ttl > 0 && idle && backend.Clock()-since >= int64(ttl) || c.conn.Moved()
		if old && !st.Closed {
			go c.retire()
		}
		return old || st.Closed || st.Closing
	})
	for _, c := range s.list {
		if c.kind != k {
			continue
		}
		if st := c.cc.State(); st.StreamsActive+st.StreamsReserved+st.StreamsPending < memberStreams && c.cc.ReserveNewRequest() {
			return c, nil, false
		}
	}
	if d = s.dialing[k]; d != nil {
		return nil, d, false
	}
	d = &dialing{done: make(chan struct{})}
	s.dialing[k] = d
	return nil, d, true
}

// errUnmade is what those who wait for a connection get when making it panicked.
var errUnmade = errors.New("http2: no connection was made")

// connect makes a connection, for all who wait for it.
func (s *clients) connect(ctx context.Context, st *stream, k kind, d *dialing) (c *client, err error) {
	err = errUnmade
	defer func() {
		d.abandoned = err != nil && ctx.Err() != nil
		s.dialed(k, d, c, err)
	}()
	return dial(ctx, st, k, false)
}

// dialed ends a dialing.
func (s *clients) dialed(k kind, d *dialing, c *client, err error) {
	s.mu.Lock()
	delete(s.dialing, k)
	if err == nil && s.closed {
		go c.retire()
	} else if err == nil {
		s.makeRoom(k)
		s.list = append(s.list, c)
	}
	d.err = err
	close(d.done)
	s.mu.Unlock()
	if err == nil {
		backend.Keep(s, &s.known)
	}
}

func (s *clients) drop(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = slices.DeleteFunc(s.list, func(o *client) bool { return o == c })
}

// isAlive asks an idle connection whether it is alive: ping= (httpd: mod_proxy_http2.c).
func (c *client) isAlive(ctx context.Context, limit time.Duration) bool {
	if c.cc.State().StreamsActive > 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.cc.Ping(ctx) == nil
}

// dial makes a connection, with a stream on it reserved. A exclusive one carries just that: nobody else finds
// it, and the attempt ends it (x/net's SetDoNotReuse would refuse that stream, too).
func dial(ctx context.Context, s *stream, k kind, exclusive bool) (*client, error) {
	conn, err := backend.Acquire(ctx, s.Worker, s.X, s.Call, true)
	if err != nil {
		return nil, err
	}
	nc, ok := conn.Stream().(net.Conn)
	if !ok {
		conn.Release(false)
		return nil, conn.Fail(backend.Refused, errors.ErrUnsupported)
	}
	cc, err := s.t.NewClientConn(&pooledConn{Conn: nc, owner: conn})
	if err != nil {
		conn.Release(false)
		return nil, conn.Fail(backend.EarlyClose, err)
	}
	cc.ReserveNewRequest()
	c := &client{cc: cc, conn: conn, kind: k, exclusive: exclusive}
	c.freed.Store(backend.Clock())
	return c, nil
}

// pooledConn gives a connection back to its worker's account when it is closed.
type pooledConn struct {
	net.Conn
	owner *backend.Conn
	once  sync.Once
}

// Close ends it.
func (h *pooledConn) Close() error {
	h.once.Do(func() { h.owner.Release(false) })
	return nil
}
