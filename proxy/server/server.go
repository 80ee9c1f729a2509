package server

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
	http2 "balancerd/proxy/http2/server"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
)

// Server serves one site after the other.
type Server struct {
	http1   *http1.Server
	h2      *http2.Server
	secure  func(*site.Site, netip.AddrPort) http1.TLSHandshake // nil: every connection is plain; immutable
	started time.Time
	current atomic.Pointer[generation] // replaced under mu

	mu      sync.Mutex           // one Swap at a time; guards what follows
	sockets map[string]*socket   // by site.Listener.Address
	old     map[*generation]bool // replaced, and still used
	running bool                 // Run was called: sockets are served as soon as they are open
	over    func(generation int) // nil: nobody is told
	freed   func(generation int) // likewise
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
func New(secure ...func(*site.Site, netip.AddrPort) http1.TLSHandshake) *Server {
	s := &Server{started: time.Now(), sockets: map[string]*socket{}, old: map[*generation]bool{}}
	recovery.SetLog(func(message string) { s.log(exchange.Crit, nil, message) })
	s.h2 = http2.New(s, s.log)
	s.http1 = http1.New(s, http1.Options{Log: s.log, TLSHandshake: s.shake, ProxyProtocol: s.announces, Other: other{s.h2}})
	if len(secure) > 0 {
		s.secure = secure[0]
	}
	return s
}

// other is HTTP/2 as the engine of HTTP/1 hands connections to it.
type other struct{ h2 *http2.Server }

// Serve serves a connection to its end.
func (o other) Serve(nc net.Conn, info *exchange.Conn, b *http1.Reporter, asked any) {
	first, _ := asked.(*http2.First)
	o.h2.Serve(nc, info, b, first)
}

// shake is what the site in force asks of a new connection.
func (s *Server) shake(local netip.AddrPort) http1.TLSHandshake {
	now := s.Site()
	if now == nil || s.secure == nil {
		return nil
	}
	return s.secure(now, local)
}

// announces reports whether the site in force wants a PROXY header in front of a new connection.
func (s *Server) announces(local, remote netip.AddrPort) bool {
	now := s.Site()
	return now != nil && now.ProxyProtocol != nil && now.ProxyProtocol(local, remote)
}

// log writes what concerns no request to the error log of whoever serves.
func (s *Server) log(level exchange.Level, err error, message string) {
	now := s.Site()
	if now == nil || now.ErrorLog == nil {
		return
	}
	main := now.Hosts[0].Server
	if level != exchange.Notice && level > main.Levels.Of("core") {
		return
	}
	now.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: "core", Level: level, Errno: exchange.ErrnoText(err), Message: message, Server: main})
}

// Swap has next serve from now on. opened are the listeners, by address, of those that next names and
// that are not open yet; they are closed when the error says that one is missing or can't be used: it is
// a *ListenError, and nothing has changed then. The site before is closed when its last exchange is over.
func (s *Server) Swap(next *site.Site, opened map[string]*net.TCPListener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sockets, err := s.take(next, opened)
	if err != nil {
		return err
	}
	next.Commit()
	before := s.current.Swap(newGeneration(next))
	for address, o := range sockets {
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

// take makes the listeners the engine's.
func (s *Server) take(next *site.Site, opened map[string]*net.TCPListener) (taken map[string]*socket, err error) {
	taken = map[string]*socket{}
	defer func() {
		if err != nil {
			for _, o := range taken {
				o.l.Close()
			}
			for _, l := range opened {
				l.Close()
			}
		}
	}()
	if len(next.Listeners) == 0 {
		return taken, &ListenError{Message: NoSockets}
	}
	for _, at := range next.Listeners {
		if s.sockets[at.Address] != nil || taken[at.Address] != nil {
			continue
		}
		l := opened[at.Address]
		if l == nil {
			return taken, unable(at, syscall.EBADF)
		}
		own, err := http1.NewListener(l)
		if err != nil {
			return taken, unable(at, err)
		}
		delete(opened, at.Address)
		taken[at.Address] = &socket{l: own}
	}
	return taken, nil
}

// Release closes listeners before their time, since another socket needs their port: 127.0.0.1:80 and
// *:80 can't be open at once. Connections live on.
func (s *Server) Release(addresses []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range addresses {
		if s.sockets[a] != nil {
			s.close(a)
		}
	}
}

// Resume takes listeners back that had been Released for a configuration that was refused then. What
// can't be used is left out, and told in the error log.
func (s *Server) Resume(opened map[string]*net.TCPListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, l := range opened {
		own, err := http1.NewListener(l)
		if err != nil {
			s.log(exchange.Emerg, err, "no more connections are accepted on "+a)
			continue
		}
		s.sockets[a] = &socket{l: own}
		if s.running {
			s.accept(s.sockets[a])
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
			if err := s.http1.Accept(o.l); err != nil {
				s.log(exchange.Emerg, err, "no more connections are accepted on "+o.l.Addr().String())
			}
		})
	}()
}

// retire closes a generation that was replaced when its last exchange is over. While only tunnels last, the site
// is given up already.
func (s *Server) retire(g *generation) {
	released := false
	for wait := 20 * time.Millisecond; g.exchanges() > 0; time.Sleep(wait) {
		if released {
			continue
		}
		s.mu.Lock()
		released = g.release()
		s.mu.Unlock()
		if released {
			wait = 200 * time.Millisecond
			s.tell(&s.freed, g)
		}
	}
	recovery.Do("closing a configuration that was replaced", g.end)
	s.mu.Lock()
	delete(s.old, g)
	s.mu.Unlock()
	s.tell(&s.over, g)
	if !released {
		s.tell(&s.freed, g)
	}
}

// tell calls who wants to know of a generation.
func (s *Server) tell(who *func(generation int), g *generation) {
	s.mu.Lock()
	f := *who
	s.mu.Unlock()
	if f != nil {
		f(g.number)
	}
}

// OnFreed has f told of each generation whose site is not needed any more, though tunnels may still last. To be
// called before the first Swap.
func (s *Server) OnFreed(f func(generation int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freed = f
}

// OnOver has f told of each generation whose site was closed since its last exchange is over. To be
// called before the first Swap.
func (s *Server) OnOver(f func(generation int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = f
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
	s.http1.Close()
	for end := time.Now().Add(lastExchanges); time.Now().Before(end) && s.under() > 0; time.Sleep(time.Millisecond) {
	}
}

// Drain waits until the exchanges under way are over, or ctx ends. Nobody connects any more.
func (s *Server) Drain(ctx context.Context) error {
	s.Close()
	s.http1.Stop()
	s.h2.Renew()
	return s.http1.Wait(ctx)
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
		g.end()
	}
	if g := s.current.Load(); g != nil {
		g.end()
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

// Upgrade is the Switch of an answer to a request that asks for h2c; nil: there can't be one.
func Upgrade(x *exchange.Exchange) any {
	if first := http2.FirstOf(x); first != nil {
		return first
	}
	return nil
}

// HTTP1 is the server of all connections, for what the status page shows of connections.
func (s *Server) HTTP1() *http1.Server { return s.http1 }

// Site is who serves; nil before the first Swap.
func (s *Server) Site() *site.Site {
	if s.current.Load() == nil {
		return nil
	}
	return s.serving()
}

// Abandon closes what Swap opened when the server shall not Run after all.
func (s *Server) Abandon() {
	s.Close()
	s.finish()
}

// CountFrom says that the server was started at a time: a process that takes over for another goes on
// counting from there. To be called before the first Swap.
func (s *Server) CountFrom(started time.Time) { s.started = started }

// Started is when the server was started: reloads do not change it.
func (s *Server) Started() time.Time { return s.started }
