package server

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/wire"
)

// App is what serves the requests. Its methods are called by many goroutines, for one exchange by one
// at a time: Serve or Refuse, then Done.
type App interface {
	// Named is the settings of a connection to an address whose TLS handshake bore a name; "" for none.
	Named(local netip.AddrPort, name string) *exchange.Server
	// Serve fills x.Res. It never fails; a panic ends the exchange.
	Serve(ctx context.Context, x *exchange.Exchange)
	// Refuse fills x.Res for a request that cannot be served.
	Refuse(ctx context.Context, x *exchange.Exchange, p *exchange.Problem)
	// Done is told when the answer is sent, or could not be: it writes the logs and calls x.Finish.
	Done(ctx context.Context, x *exchange.Exchange)
}

// Reporter is told what a connection's streams do, for the status page. Many goroutines call it.
type Reporter interface {
	Begin(*exchange.Exchange)
	// End is the end of an exchange; idle: no other one is under way.
	End(x *exchange.Exchange, took time.Duration, idle bool)
}

// Server serves HTTP/2 connections. Make one with New; one is enough for all listeners.
type Server struct {
	// Immutable.
	app     App
	log     func(level exchange.Level, err error, message string)
	streams sync.Pool // *stream
	clock   wire.Clock

	mu    sync.Mutex
	conns map[*conn]bool // under mu
}

// New is a Server for an App. logs takes messages that belong to no request; nil: dropped.
func New(app App, logs func(level exchange.Level, err error, message string)) *Server {
	s := &Server{app: app, log: logs, conns: map[*conn]bool{}}
	if logs == nil {
		s.log = func(exchange.Level, error, string) {}
	}
	s.streams.New = func() any { return new(stream) }
	return s
}

// Serve serves a connection from its preface to its end by goroutines, waits for its exchanges, and closes it. It
// blocks. info must stay as it is meanwhile. first is the request that asked for HTTP/2 by Upgrade, nil for none.
func (s *Server) Serve(nc net.Conn, info *exchange.Conn, reporter Reporter, first *First) {
	c := s.open(info, reporter, first)
	l := transport.NewGoroutines(c, nc)
	c.transport = l
	defer nc.Close()
	defer s.close(c)
	l.Serve()
}

// open makes a connection known.
func (s *Server) open(info *exchange.Conn, reporter Reporter, first *First) *conn {
	name := ""
	if info.TLS != nil {
		name = info.TLS.ServerName
	}
	c := newConn(s, info, reporter, s.app.Named(info.Local, name))
	c.first = first
	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
	return c
}

// close ends a connection's life here.
func (s *Server) close(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// Renew has the connections that there are end gracefully: GOAWAY, the streams under way, the end
// (RFC 9113 section 6.8). A new configuration is in force, or the server stops. It does not wait.
func (s *Server) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.shutDown(nil)
	}
}
