package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/internal/recovery"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1"
	"balancerd/proxy/http2"
	"balancerd/proxy/site"
)

// Server serves one site after the other.
type Server struct {
	front   *http1.Server
	h2      *http2.Server
	secure  func(*site.Site, netip.AddrPort) http1.Shake // nil: every connection is plain; immutable
	started time.Time
	current atomic.Pointer[generation] // replaced under mu

	mu      sync.Mutex           // one Swap at a time; guards what follows
	sockets map[string]*socket   // by site.Listener.Address
	old     map[*generation]bool // replaced, and still used
	running bool                 // Run was called: sockets are served as soon as they are open
	swaps   int                  // how many
}

// socket is an open listener.
type socket struct {
	l    *http1.Listener
	done chan struct{} // closed when nobody accepts from it any more; nil before
}

// New makes a server without a site and without sockets.
//
// secure finds, for a site and one of its addresses, what makes connections secure; nil where they are
// plain. Without it all are.
func New(secure ...func(*site.Site, netip.AddrPort) http1.Shake) *Server {
	s := &Server{started: time.Now(), sockets: map[string]*socket{}, old: map[*generation]bool{}}
	recovery.SetLog(func(message string) { s.log(exchange.Crit, nil, message) })
	s.h2 = http2.New(s, s.log)
	s.front = http1.New(s, http1.Options{Log: s.log, Shake: s.shake, Other: other{s.h2}})
	if len(secure) > 0 {
		s.secure = secure[0]
	}
	return s
}

// other is HTTP/2 as the engine of HTTP/1 hands connections to it.
type other struct{ h2 *http2.Server }

// Serve serves a connection to its end.
func (o other) Serve(nc net.Conn, info *exchange.Conn, b *http1.Board) { o.h2.Serve(nc, info, b) }

// shake is what the site in force asks of a new connection.
func (s *Server) shake(local netip.AddrPort) http1.Shake {
	g := s.current.Load()
	if g == nil || s.secure == nil {
		return nil
	}
	return s.secure(g.site, local)
}

// log writes what concerns no request to the error log of whoever serves.
func (s *Server) log(level exchange.Level, err error, message string) {
	g := s.current.Load()
	if g == nil || g.site.ErrorLog == nil {
		return
	}
	main := g.site.Hosts[0].Server
	if level != exchange.Notice && level > main.Levels.Of("core") {
		return
	}
	g.site.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: "core", Level: level, Errno: exchange.ErrnoText(err), Message: message, Server: main})
}

// Swap has next serve from now on. Its sockets are opened first, those that are open already stay;
// when one can't be had the error is a *ListenError, and nothing has changed. The site before is
// closed when its last exchange is over.
func (s *Server) Swap(next *site.Site) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	opened, err := s.open(next)
	if err != nil {
		return err
	}
	next.Commit()
	before := s.current.Swap(&generation{number: s.swaps, site: next})
	s.swaps++
	for address, o := range opened {
		s.sockets[address] = o
		if s.running {
			s.accept(o)
		}
	}
	s.drop(next)
	if before != nil {
		s.h2.Renew()
		s.old[before] = true
		recovery.Go("waiting for the end of a configuration that was replaced", func() { s.retire(before) })
	}
	return nil
}

// open opens the sockets that next names and nobody has opened yet. When one can't be had, all is as
// it was before.
func (s *Server) open(next *site.Site) (opened map[string]*socket, err error) {
	opened = map[string]*socket{}
	var gone []string // ours that had to make room
	defer func() {
		if err != nil {
			for _, o := range opened {
				o.l.Close()
			}
			s.reopen(gone)
		}
	}()
	if len(next.Listeners) == 0 {
		return opened, &ListenError{Message: noSockets}
	}
	for _, at := range next.Listeners {
		if s.sockets[at.Address] != nil || opened[at.Address] != nil {
			continue
		}
		l, err := bind(context.Background(), at, &next.Settings)
		if room := s.makeRoom(next, at, err); room != nil {
			gone = append(gone, room...)
			l, err = bind(context.Background(), at, &next.Settings)
		}
		if err != nil {
			return opened, err
		}
		opened[at.Address] = &socket{l: l}
	}
	return opened, nil
}

// makeRoom closes the sockets of ours that took an address's port and that next names no more:
// 127.0.0.1:80 and *:80 can't be open at once.
func (s *Server) makeRoom(next *site.Site, at site.Listener, taken error) (gone []string) {
	if !errors.Is(taken, syscall.EADDRINUSE) {
		return nil
	}
	for address := range s.sockets {
		if !named(next, address) && portOf(address) == portOf(at.Address) {
			gone = append(gone, address)
			s.close(address)
		}
	}
	return gone
}

// reopen takes back what makeRoom closed.
func (s *Server) reopen(gone []string) {
	for _, address := range gone {
		l, err := bind(context.Background(), site.Listener{Address: address}, &s.current.Load().site.Settings)
		if err != nil {
			s.log(exchange.Emerg, nil, err.Error())
			continue
		}
		s.sockets[address] = &socket{l: l}
		if s.running {
			s.accept(s.sockets[address])
		}
	}
}

func named(s *site.Site, address string) bool {
	for _, l := range s.Listeners {
		if l.Address == address {
			return true
		}
	}
	return false
}

// drop closes the sockets that next does not name.
func (s *Server) drop(next *site.Site) {
	for address := range s.sockets {
		if !named(next, address) {
			s.close(address)
		}
	}
}

func (s *Server) close(address string) {
	o := s.sockets[address]
	delete(s.sockets, address)
	o.l.Close()
	if o.done != nil {
		<-o.done
	}
}

func (s *Server) accept(o *socket) {
	o.done = make(chan struct{})
	go func() {
		defer close(o.done)
		recovery.Keep("accepting connections", func() {
			if err := s.front.Accept(o.l); err != nil {
				s.log(exchange.Emerg, err, "no more connections are accepted on "+o.l.Addr().String())
			}
		})
	}()
}

// retire closes a generation that was replaced when its last exchange is over.
func (s *Server) retire(g *generation) {
	for g.exchanges() > 0 {
		time.Sleep(20 * time.Millisecond)
	}
	recovery.Do("closing a configuration that was replaced", g.site.Close)
	s.mu.Lock()
	delete(s.old, g)
	s.mu.Unlock()
}

// Run serves until ctx ends; then it halts. The sites' logs are closed when it returns.
func (s *Server) Run(ctx context.Context) {
	s.mu.Lock()
	s.running = true
	for _, o := range s.sockets {
		s.accept(o)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.Halt()
	s.finish()
}

// Halt closes the ports, cuts all connections off, and waits a moment for their exchanges to be
// logged. The sites' logs are still open then.
func (s *Server) Halt() {
	s.Close()
	s.front.Close()
	for end := time.Now().Add(lastExchanges); time.Now().Before(end) && s.under() > 0; time.Sleep(time.Millisecond) {
	}
}

// Drain waits until the exchanges under way are over, or ctx ends. Nobody connects any more.
func (s *Server) Drain(ctx context.Context) error {
	s.Close()
	s.front.Stop()
	s.h2.Renew()
	return s.front.Wait(ctx)
}

// Close closes the ports. Connections live on.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	for address := range s.sockets {
		s.close(address)
	}
}

// lastExchanges is how long Halt waits for exchanges that were cut off to be logged.
const lastExchanges = 2 * time.Second

// finish closes the sites.
func (s *Server) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range s.old {
		g.site.Close()
	}
	if g := s.current.Load(); g != nil {
		g.site.Close()
	}
}

func (s *Server) under() (n int64) {
	for _, l := range s.Loads() {
		n += l.Exchanges
	}
	return n
}

// Load is the work of one generation.
type Load struct {
	Generation int // 0 at first
	Stopping   bool
	Exchanges  int64 // under way
}

// Loads are the generation in force and those that finish their exchanges.
func (s *Server) Loads() []Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Load
	if g := s.current.Load(); g != nil {
		out = append(out, Load{g.number, false, g.exchanges()})
	}
	for g := range s.old {
		out = append(out, Load{g.number, true, g.exchanges()})
	}
	return out
}

// Upgrade makes HTTP/2 of the connection of a request that asks for h2c; nil: it can't be.
func (s *Server) Upgrade(x *exchange.Exchange) exchange.Tunnel { return s.h2.Upgrade(x) }

// Front is the engine, for what the status page shows of connections.
func (s *Server) Front() *http1.Server { return s.front }

// Site is who serves; nil before the first Swap.
func (s *Server) Site() *site.Site {
	if g := s.current.Load(); g != nil {
		return g.site
	}
	return nil
}

// Abandon closes what Swap opened when the server shall not Run after all.
func (s *Server) Abandon() {
	s.Close()
	s.finish()
}

// Swaps is how many configurations were put in force.
func (s *Server) Swaps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.swaps
}

// Started is when the server was made: reloads do not change it.
func (s *Server) Started() time.Time { return s.started }
