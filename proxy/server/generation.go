package server

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"

	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
	http2 "balancerd/proxy/http2/server"
	"balancerd/proxy/site"
)

// stripes is over how many counters a generation's exchanges are spread. A connection stays with
// one, so that two processors hardly ever want the same cache line.
const stripes = 64

type stripe struct {
	n atomic.Int64
	_ [56]byte // the rest of a cache line
}

// generation is one load of the configuration while anybody uses it.
type generation struct {
	number  int
	site    atomic.Pointer[site.Site] // nil once nothing but tunnels is under way
	close   func()                    // what is left to do at the end, then; under Server.mu
	under   [stripes]stripe           // exchanges under way
	tunnels atomic.Int64              // of these, those that are tunnels
}

func newGeneration(s *site.Site) *generation {
	g := &generation{number: s.Generation}
	g.site.Store(s)
	return g
}

// tunneled is a generation as the exchanges know it that have become tunnels.
type tunneled generation

// BecomesTunnel counts the exchange as a tunnel.
func (g *generation) BecomesTunnel(x *exchange.Exchange) {
	g.tunnels.Add(1)
	x.State[exchange.StateServer] = (*tunneled)(g)
}

var _ exchange.Tunneler = (*generation)(nil)

// release gives the site up when nothing but tunnels is under way, and reports whether it has. A generation that is
// no longer the current one gets no new exchanges: its exchanges are counted first, and as many tunnels are there
// later, so all that are left are tunnels.
func (g *generation) release() bool {
	if g.exchanges() != g.tunnels.Load() {
		return false
	}
	g.close = g.site.Load().Detach()
	g.site.Store(nil)
	return true
}

// end closes the site.
func (g *generation) end() {
	if g.close != nil {
		g.close()
	} else {
		g.site.Load().Close()
	}
}

func (g *generation) stripe(x *exchange.Exchange) *atomic.Int64 { return &g.under[x.Conn.ID%stripes].n }

// exchanges is how many are under way. Once the generation is not the current one and this is 0, it
// stays 0: see enter.
func (g *generation) exchanges() (n int64) {
	for i := range g.under {
		n += g.under[i].n.Load()
	}
	return n
}

var (
	_ http1.App = (*Server)(nil)
	_ http2.App = (*Server)(nil)
)

// enter counts the exchange in at the current generation, once: an answer that is replaced by a page
// is asked for a second time. It looks again after counting: a generation that was replaced in between
// may be closed already.
func (s *Server) enter(x *exchange.Exchange) *generation {
	if g, ok := x.State[exchange.StateServer].(*generation); ok {
		return g
	}
	for {
		g := s.current.Load()
		n := g.stripe(x)
		n.Add(1)
		if s.current.Load() == g {
			x.State[exchange.StateServer] = g
			return g
		}
		n.Add(-1)
	}
}

// serving is the site in force. It looks again when one was replaced, and given up, in between.
func (s *Server) serving() *site.Site {
	for {
		if now := s.current.Load().site.Load(); now != nil {
			return now
		}
	}
}

// Default is the settings of a connection before the Host is known.
func (s *Server) Default(local netip.AddrPort) *exchange.Server { return s.serving().Default(local) }

// Named is the settings of a connection whose TLS handshake bore a name: the virtual host's that has it.
func (s *Server) Named(local netip.AddrPort, name string) *exchange.Server {
	now := s.serving()
	if name == "" {
		return now.Default(local)
	}
	h, known := now.Find(local, strings.ToLower(strings.TrimSuffix(name, ".")))
	if !known {
		return now.Default(local)
	}
	return h.Server
}

// Serve has the current site answer.
func (s *Server) Serve(ctx context.Context, x *exchange.Exchange) {
	s.enter(x).site.Load().Serve(ctx, x)
}

// Refuse has the current site answer a request that could not be read.
func (s *Server) Refuse(ctx context.Context, x *exchange.Exchange, p *exchange.Problem) {
	s.enter(x).site.Load().Refuse(ctx, x, p)
}

// Done has the site that answered write its logs, and lets it go.
func (s *Server) Done(ctx context.Context, x *exchange.Exchange) {
	switch g := x.State[exchange.StateServer].(type) {
	case *generation:
		defer g.stripe(x).Add(-1)
		site.Done(ctx, x)
	case *tunneled:
		of := (*generation)(g)
		defer of.stripe(x).Add(-1)
		defer of.tunnels.Add(-1) // before the exchange is no longer under way, see release
		site.Done(ctx, x)
	}
}
