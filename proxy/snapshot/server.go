package snapshot

import (
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
	"balancerd/proxy/server"
)

// Source is what snapshots are taken of. It may be used by many goroutines.
type Source struct {
	Server *server.Server
	Farm   *balancer.Farm
}

// Server is one reading of the server without its balancers. The caller owns it.
type Server struct {
	Started time.Time // of this run: neither a reload nor a new serving process changes it
	Reloads int       // how many configurations were put in force after the first

	Requests int64         // that ended since Started
	Sent     int64         // bytes of their responses, heads and framing included
	Busy     time.Duration // the sum of the time from each request's head to its response's end

	Connections [States]int  // how many of the clients' connections are in each state
	Generations []Generation // the configuration in force first, then those whose last requests are under way
	MaxWorkers  int          // MaxRequestWorkers of the configuration in force: shown, not kept to

	Clients []Connection // each connection, in no order
}

// State is what a client's connection does just now.
type State uint8

// The states of a connection.
const (
	Reading   State = iota // the head of a request is awaited on a fresh connection, or arriving
	Serving                // a request is under way
	KeepAlive              // between two requests
	Closing                // the last response is out, what the client still sends is dropped
	Tunneling              // it carries another protocol (Upgrade, CONNECT)
	States                 // how many there are
)

// stateOf is a state of the HTTP server's, which has the same.
var stateOf = [...]State{http1.Reading: Reading, http1.Serving: Serving, http1.KeepAlive: KeepAlive, http1.Closing: Closing, http1.Tunneling: Tunneling}

// Generation is one configuration that requests are still served with.
type Generation struct {
	Stopping bool // another one is in force: it finishes its requests and gets no new ones
	Requests int  // under way
}

// Connection is a client's connection. One that speaks HTTP/2 counts as one, whatever streams it has.
type Connection struct {
	State    State
	Since    time.Time        // when the present or the last request began; before the first one, when the connection did
	Took     time.Duration    // of the last request that ended
	Busy     time.Duration    // the sum over the requests that ended
	Requests int              // that began
	Sent     int64            // bytes of all responses
	Client   string           // its IP address
	Server   *exchange.Server // the virtual host of the last request that ended, before that the address's default one
	Port     int              // of ours that the client reached
	Protocol string           // of the last request, "HTTP/1.1", "h2", "h2c"; "" before the first
	Line     string           // the last request's line, its first 64 bytes
}

// Take reads everything but the balancers.
func (s *Source) Take() Server {
	out := s.totals()
	s.Server.HTTP1().Each(func(i *http1.Info) {
		c := Connection{
			State: stateOf[i.State], Since: i.Since, Took: i.Took, Busy: i.Spent, Requests: i.Requests, Sent: i.Bytes,
			Client: i.Client, Server: i.Server, Port: i.Port, Protocol: i.Protocol, Line: i.Line,
		}
		out.Connections[c.State]++
		out.Clients = append(out.Clients, c)
	})
	return out
}

func (s *Source) totals() Server {
	t := s.Server.HTTP1().Totals()
	out := Server{Started: s.Server.Started(), Requests: t.Requests, Sent: t.Bytes, Busy: t.Busy}
	if now := s.Server.Site(); now != nil {
		out.Reloads, out.MaxWorkers = now.Generation, now.Settings.MaxWorkers
	}
	for _, l := range s.Server.Loads() {
		out.Generations = append(out.Generations, Generation{Stopping: l.Stopping, Requests: int(l.Exchanges)})
	}
	return out
}

// Workers is how many workers in httpd's sense are idle and busy: each exchange of the configuration in force has one.
func (s *Source) Workers() (idle, busy int) {
	t := s.totals()
	if len(t.Generations) > 0 {
		busy = t.Generations[0].Requests
	}
	return max(t.MaxWorkers-busy, 0), busy
}
