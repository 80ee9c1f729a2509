package server

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// Server serves HTTP/1.1 connections. Make one with New; one is enough for all listeners.
type Server struct {
	// Immutable.
	app       App
	shake     func(local netip.AddrPort) TLSHandshake
	announces func(local, remote netip.AddrPort) bool
	other     Other
	log       func(level exchange.Level, err error, message string)
	ctx       context.Context
	buffers   sync.Pool // *requestBuffers
	conns     sync.Pool // *conn
	bulks     sync.Pool // *bulk
	pieces    sync.Pool // *piece
	pipes     pipes

	shards [shards]shard

	// Atomic.
	ids      atomic.Uint64
	stopping atomic.Bool
	closed   atomic.Bool  // Close was called: connections are cut off
	doors    atomic.Int32 // listeners
	clock    wire.Clock

	mu     sync.Mutex
	engine engine // under mu
}

// Options are what a Server may be told besides its App.
type Options struct {
	// Log takes messages that belong to no request: a failing accept (AH number and words are in the
	// message). nil: dropped.
	Log func(level exchange.Level, err error, message string)
	// TLSHandshake finds what makes connections to an address secure; nil, or a nil result: they are plain.
	TLSHandshake func(local netip.AddrPort) TLSHandshake
	// ProxyProtocol reports whether a connection must begin with a PROXY header, in front of TLS; nil: none does.
	ProxyProtocol func(local, remote netip.AddrPort) bool
	// Other serves connections that turn out to speak HTTP/2; nil: there are none.
	Other Other
}

// TLSHandshake makes an accepted connection secure: it returns what to serve, and the state of TLS; nil for
// a connection that turned out to be plain. After an error, which it has told the log, the caller closes the connection.
type TLSHandshake func(net.Conn) (net.Conn, *exchange.TLS, error)

// New is a Server for an App.
func New(app App, o Options) *Server {
	s := &Server{app: app, log: o.Log, shake: o.TLSHandshake, announces: o.ProxyProtocol, other: o.Other, ctx: context.Background()}
	if s.log == nil {
		s.log = func(exchange.Level, error, string) {}
	}
	s.buffers.New = func() any { return newRequestBuffers() }
	s.conns.New = func() any { return new(conn) }
	s.bulks.New = func() any { return new(bulk) }
	s.pieces.New = func() any { return new(piece) }
	if s.shake == nil {
		s.shake = func(netip.AddrPort) TLSHandshake { return nil }
	}
	if s.announces == nil {
		s.announces = func(_, _ netip.AddrPort) bool { return false }
	}
	for i := range s.shards {
		s.shards[i].init()
	}
	return s
}

// ServeConn serves a connection to its end and closes it; state is that of TLS after its handshake,
// nil for plain ones. It blocks.
func (s *Server) ServeConn(nc net.Conn, state *exchange.TLS) {
	s.serveConn(nc, state, func(*conn) {})
}

// serveConn is ServeConn of a connection of which mark knows more.
func (s *Server) serveConn(nc net.Conn, state *exchange.TLS, mark func(*conn)) {
	c := s.open(exchange.AddrPort(nc.LocalAddr()), exchange.AddrPort(nc.RemoteAddr()), func(c *conn) {
		c.transport = &netTransport{nc: nc}
		c.info.TLS, c.info.Secure = state, state != nil
		mark(c)
	})
	defer s.drop(c)
	defer c.guardConnection()
	if state != nil && state.NegotiatedProtocol == exchange.H2 && s.other != nil {
		c.handOver(nc)
		return
	}
	c.setInterrupt(c.interrupter())
	if c.serveNet(); c.switched {
		c.switchProtocol()
	}
}

// open makes a connection known, once it is linked to its client.
func (s *Server) open(local, remote netip.AddrPort, link func(*conn)) *conn {
	c := s.conns.Get().(*conn)
	text := remote.String()
	id := s.ids.Add(1)
	c.s = s
	c.info = exchange.Conn{ID: id, Remote: remote, Local: local, RemoteText: text, RemoteIP: ipOf(text)}
	c.server = s.app.Default(local)
	c.began = time.Now()
	c.stats.reset(c)
	link(c)
	s.shards[id%shards].add(c)
	return c
}

// ipOf is the address in "ip:port" or "[ip]:port".
func ipOf(text string) string {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] != ':' {
			continue
		}
		if text[0] == '[' {
			return text[1 : i-1]
		}
		return text[:i]
	}
	return text
}

// drop ends a connection's life here.
func (s *Server) drop(c *conn) {
	s.shards[c.info.ID%shards].del(c)
	c.setInterrupt(nil)
	c.close()
	c.releaseBuffers()
	if c.broken {
		s.settle()
		return
	}
	*c = conn{}
	poison.Put(&s.conns, c)
	s.settle()
}

// Stop ends the connections gracefully: idle ones are closed now, the others after the answer under
// way, which says Connection: close. New ones get one answer. It does not wait.
func (s *Server) Stop() {
	s.stopping.Store(true)
	for i := range s.shards {
		s.shards[i].each(func(c *conn) {
			if st := State(c.state.Load()); st == Reading || st == KeepAlive {
				c.wake()
			}
		})
	}
}

// Wait waits until no connection is left, tunnels included, or ctx ends.
func (s *Server) Wait(ctx context.Context) error {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for s.Connections() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
	return nil
}

// Close cuts all connections off.
func (s *Server) Close() {
	s.stopping.Store(true)
	s.closed.Store(true)
	for i := range s.shards {
		s.shards[i].each((*conn).cut)
	}
	s.settle()
}

// Connections is how many there are.
func (s *Server) Connections() int {
	n := 0
	for i := range s.shards {
		s.shards[i].mu.Lock()
		n += s.shards[i].n
		s.shards[i].mu.Unlock()
	}
	return n
}

// Each calls f for every connection. f must be quick and must not call the Server.
func (s *Server) Each(f func(*Info)) {
	for i := range s.shards {
		s.shards[i].each(func(c *conn) {
			info := c.stats.info(c)
			f(&info)
		})
	}
}

// Totals are the sums over all exchanges since New.
func (s *Server) Totals() Totals {
	var t Totals
	for i := range s.shards {
		h := &s.shards[i]
		t.Requests += h.requests.Load()
		t.Bytes += h.bytes.Load()
		t.Busy += time.Duration(h.busy.Load())
	}
	return t
}
