package http1

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"balancerd/proxy/exchange"
)

// Server serves HTTP/1.1 connections. Make one with New; one is enough for all listeners.
type Server struct {
	app App
	log func(level exchange.Level, err error, message string)
}

// Options are what a Server may be told besides its App.
type Options struct {
	// Log takes messages that belong to no request: a failing accept (AH number and words are in the
	// message). nil: dropped.
	Log func(level exchange.Level, err error, message string)
}

// New is a Server for an App.
func New(app App, o Options) *Server { return &Server{app: app, log: o.Log} }

// Accept serves the connections that come in on a plain TCP listener until that is closed; then it
// returns nil. Each connection has a goroutine of its own.
func (s *Server) Accept(l *net.TCPListener) error { panic("being written") }

// ServeFD serves a connected, non-blocking socket to its end and closes it. It blocks.
func (s *Server) ServeFD(fd int, local, remote netip.AddrPort) { panic("being written") }

// ServeConn serves a connection to its end and closes it; state is that of TLS, nil for plain ones.
// It blocks.
func (s *Server) ServeConn(c net.Conn, state *tls.ConnectionState) { panic("being written") }

// Stop ends the connections gracefully: idle ones are closed now, the others after the answer under
// way, which says Connection: close. New ones are closed at once. It does not wait.
func (s *Server) Stop() { panic("being written") }

// Wait waits until no connection is left, tunnels included, or ctx ends.
func (s *Server) Wait(ctx context.Context) error { panic("being written") }

// Close cuts all connections off.
func (s *Server) Close() { panic("being written") }

// Each calls f for every connection. f must be quick and must not call the Server.
func (s *Server) Each(f func(*Info)) { panic("being written") }

// Totals are the sums over all exchanges since New.
func (s *Server) Totals() Totals { panic("being written") }

// State is what a connection does just now.
type State uint8

// The states of a connection.
const (
	Reading   State = iota // the head of a request is awaited or arriving, on a fresh connection or after its first bytes
	Serving                // an exchange is under way
	KeepAlive              // between two requests
	Closing                // lingering: the last answer is out, the client's rest is drained
	Tunneling              // handed over to a tunnel
)

// Info is one connection as server-status shows it. It is a copy.
type Info struct {
	State    State
	Since    time.Time     // when the present or last exchange began
	Took     time.Duration // of the last exchange that ended
	Spent    time.Duration // of all exchanges of the connection
	Requests int           // begun on the connection
	Bytes    int64         // sent on it
	Last     int64         // sent for the present or last exchange
	Client   string        // its address
	Protocol string        // "HTTP/1.1" of the last request; "" before the first
	VHost    string        // "name:port" of the last request
	Line     string        // the last request line, at most 64 bytes
	Secure   bool          // TLS
}

// Totals are sums over exchanges.
type Totals struct {
	Requests int64
	Bytes    int64 // sent, heads included
	Busy     time.Duration
}
