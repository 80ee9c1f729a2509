package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
)

// The defaults and bounds of a connection; see doc.go.
const (
	defaultStreams = 100
	defaultWindow  = 65535
	connWindow     = 1 << 20
	mostHeader     = 256 << 10
	mostBroken     = 100 // streams in a row that the client broke off
	partingTime    = time.Second
)

// conn is one client's connection.
type conn struct {
	// Immutable.
	s        *Server
	nc       net.Conn
	info     *exchange.Conn
	reporter Reporter
	server   *exchange.Server // whose settings hold for the connection
	base     *http.Server     // of this connection alone: its Shutdown says GOAWAY
	h2       *http2.Server

	opened  atomic.Int64               // streams so far
	broken  atomic.Int64               // streams in a row that brought no whole answer
	errors  atomic.Int64               // of the client against the protocol
	ending  atomic.Bool                // it is told to go
	parting atomic.Pointer[time.Timer] // ends it then; a Close more does a connection no harm

	mu      sync.Mutex
	under   int           // under mu: exchanges at work
	over    bool          // under mu: no exchange may begin
	through chan struct{} // closed when over and none is at work
}

func newConn(s *Server, nc net.Conn, info *exchange.Conn, reporter Reporter, server *exchange.Server) *conn {
	c := &conn{s: s, nc: nc, info: info, reporter: reporter, server: server, through: make(chan struct{})}
	set := &server.HTTP2
	window := or(set.Window, defaultWindow)
	c.h2 = &http2.Server{
		MaxConcurrentStreams:         uint32(or(set.Streams, defaultStreams)),
		MaxUploadBufferPerStream:     int32(window),
		MaxUploadBufferPerConnection: int32(max(window, connWindow)),
		MaxReadFrameSize:             16 << 10,
		IdleTimeout:                  idle(server),
		WriteByteTimeout:             timeoutOf(server),
		PermitProhibitedCipherSuites: set.OldTLS,
		CountError:                   c.count,
	}
	c.base = &http.Server{MaxHeaderBytes: headerBytes(server), ErrorLog: s.silence}
	if err := http2.ConfigureServer(c.base, c.h2); err != nil {
		s.log(exchange.Error, err, "AH03045: HTTP/2 cannot be set up")
	}
	return c
}

func or(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}

// idle is how long a connection may have no stream; never 0, which would be for ever.
func idle(s *exchange.Server) time.Duration { return max(s.KeepAliveTimeout, time.Millisecond) }

func timeoutOf(s *exchange.Server) time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return time.Minute
}

// headerBytes is how large a request's decoded fields may be together.
func headerBytes(s *exchange.Server) int {
	if s.LimitFields == 0 {
		return mostHeader
	}
	return min(s.LimitLine+s.LimitFields*s.LimitFieldSize, mostHeader)
}

// serve speaks HTTP/2 until the connection ends.
func (c *conn) serve(first *upgraded) {
	o := &http2.ServeConnOpts{Context: context.Background(), BaseConfig: c.base, Handler: http.HandlerFunc(c.handle)}
	if first != nil {
		o.UpgradeRequest, o.Settings = first.request, first.settings
	}
	c.h2.ServeConn(c.nc, o)
}

// leave has the connection end gracefully.
func (c *conn) leave() {
	if !c.ending.Swap(true) {
		c.base.Shutdown(context.Background()) // there is no listener: it says GOAWAY, and returns
	}
}

// goAwayEnhanceYourCalm ends the connection of a client that makes work for nothing.
func (c *conn) goAwayEnhanceYourCalm(why string) {
	if c.ending.Load() {
		return
	}
	c.s.log(exchange.Info, nil, "AH03045: HTTP/2: "+why+", closing the connection of "+c.info.RemoteText)
	c.leave()
	c.parting.Store(time.AfterFunc(partingTime, func() { c.nc.Close() }))
}

// count counts what a client did against the protocol.
func (c *conn) count(string) {
	if n := c.errors.Add(1); c.server.HTTP2.Errors > 0 && n > int64(c.server.HTTP2.Errors) {
		c.goAwayEnhanceYourCalm("H2MaxStreamErrors")
	}
}

// ended counts streams that the client broke off.
func (c *conn) ended(whole bool) {
	if whole {
		c.broken.Store(0)
	} else if c.broken.Add(1) == mostBroken {
		c.goAwayEnhanceYourCalm("one stream after the other is broken off")
	}
}

// enter begins an exchange. false: the connection is over.
func (c *conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.under++
	return true
}

// exit ends one; idle: none is at work any more.
func (c *conn) exit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under--; c.over && c.under == 0 {
		close(c.through)
	}
}

// alone reports whether only one exchange is at work.
func (c *conn) alone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.under == 1
}

// wait waits for the exchanges; none begins any more.
func (c *conn) wait() {
	c.mu.Lock()
	c.over = true
	none := c.under == 0
	c.mu.Unlock()
	if !none {
		<-c.through
	}
}
