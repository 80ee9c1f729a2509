package server

import (
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
)

// State is what a connection does just now.
type State uint8

// The states of a connection.
const (
	Reading   State = iota // the head of a request is awaited on a fresh connection, or arriving
	Serving                // an exchange is under way
	KeepAlive              // between two requests
	Closing                // lingering: the last answer is out, the client's rest is drained
	Tunneling              // handed over to a tunnel
)

// Info is one connection as server-status shows it. It is a copy.
type Info struct {
	State    State
	Since    time.Time     // when the present or last exchange began; before the first, when the connection did
	Took     time.Duration // of the last exchange that ended
	Spent    time.Duration // of all exchanges of the connection
	Requests int           // begun on the connection
	Bytes    int64         // sent on it
	Last     int64         // sent for the last exchange that ended
	Client   string        // its address
	Port     int           // of ours that it reached
	Protocol string        // "HTTP/1.1" of the last request, "h2", "h2c"; "" before the first
	Server   *exchange.Server
	Line     string // the last request line, at most 64 bytes
	Secure   bool   // TLS
}

// Totals are sums over exchanges.
type Totals struct {
	Requests int64
	Bytes    int64 // sent, heads included
	Busy     time.Duration
}

// shards is over how many lists the connections are spread.
const shards = 16

// shard is one list of connections.
type shard struct {
	mu   sync.Mutex
	root conn // under mu: the ring's beginning
	n    int  // under mu

	requests, bytes, busy atomic.Int64
	_                     [64]byte
}

func (h *shard) init() { h.root.next, h.root.prev = &h.root, &h.root }

func (h *shard) add(c *conn) {
	h.mu.Lock()
	c.prev, c.next = &h.root, h.root.next
	c.next.prev, h.root.next = c, c
	h.n++
	h.mu.Unlock()
}

func (h *shard) del(c *conn) {
	h.mu.Lock()
	c.prev.next, c.next.prev = c.next, c.prev
	h.n--
	h.mu.Unlock()
}

func (h *shard) each(f func(*conn)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := h.root.next; c != &h.root; c = c.next {
		f(c)
	}
}

// lineKept is how much of a request line others may see (httpd: scoreboard.h worker_score).
const lineKept = 64

// board is what others may see of a connection's exchanges.
type connStats struct {
	mu       sync.Mutex
	since    time.Time // under mu, as all that follows
	took     time.Duration
	spent    time.Duration
	requests int
	bytes    int64
	last     int64
	protocol string
	server   *exchange.Server
	line     [lineKept]byte
	lineLen  int
}

func (b *connStats) reset(c *conn) {
	b.mu.Lock()
	b.since, b.server = c.began, c.server
	b.mu.Unlock()
}

// begin notes a request.
func (b *connStats) begin(x *exchange.Exchange) {
	x.Conn.NextClient()
	b.mu.Lock()
	b.since = x.Start
	b.requests++
	b.protocol = x.Req.ProtoText()
	b.lineLen = copy(b.line[:], x.Req.Line)
	b.mu.Unlock()
}

// end notes its end.
func (b *connStats) end(x *exchange.Exchange, took time.Duration) {
	b.mu.Lock()
	b.took = took
	b.spent += took
	b.last = x.Res.Wrote
	b.bytes += x.Res.Wrote
	b.server = x.Server
	b.mu.Unlock()
}

func (b *connStats) info(c *conn) Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Info{
		State: State(c.state.Load()), Since: b.since, Took: b.took, Spent: b.spent, Requests: b.requests, Bytes: b.bytes, Last: b.last,
		Client: c.info.LastClient(), Port: int(c.info.Local.Port()), Protocol: b.protocol, Server: b.server, Line: string(b.line[:b.lineLen]), Secure: c.info.Secure,
	}
}
