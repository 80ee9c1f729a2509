package main

import (
	"context"
	"html/template"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/balancer/store/file"
	"balancerd/manager"
	"balancerd/proxy"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1"
	"balancerd/proxy/mod/ssl"
	"balancerd/proxy/mod/status"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// house makes what lives as long as the process and marries the rooms to each other.
func (p *program) house() {
	state := &state{p: p}
	beat := &method.Heartbeat{}
	p.farm = balancer.NewFarm(method.Builtin(beat), state)
	p.server = server.New(p.handshakes)
	p.modules = modules(p, state, beat)
}

// handshakes is what a site's TLS does with new connections of an address; nil where it is plain.
func (p *program) handshakes(s *site.Site, local netip.AddrPort) http1.Shake {
	if !ssl.SecuredAt(s, local) {
		return nil
	}
	return func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
		p.pace.handshake()
		return ssl.Accept(s, nc, s.Default(local).Timeout)
	}
}

// state keeps what the manager did, where BalancerPersist asks for it: in a folder that the main process
// has made for this one.
type state struct {
	p     *program
	store atomic.Pointer[file.Store]
}

var _ balancer.Store = (*state)(nil)

// Load reads the records, if the place is known.
func (s *state) Load(ctx context.Context) ([]balancer.Record, error) {
	if f := s.store.Load(); f != nil {
		return f.Load(ctx)
	}
	return nil, nil
}

// Save writes a record, in a folder that belongs to this process's user.
func (s *state) Save(ctx context.Context, r balancer.Record) error {
	if f := s.store.Load(); f != nil {
		return f.Save(ctx, r)
	}
	return nil
}

// module tells the state its place, before mod_proxy plans the balancers. The first load knows no
// other; a reload's counts from its commit on.
func (s *state) module() site.Module {
	return site.Module{Name: "slotmem_shm", Open: func(_ *directive.Config, st *site.Site) (site.Builder, error) {
		if st.Checking || s.p.stateDir == "" {
			return nil, nil
		}
		here := file.New(s.p.stateDir)
		s.store.CompareAndSwap(nil, here)
		st.OnCommit(func() { s.store.Store(here) })
		return nil, nil
	}}
}

var heartbeats = directive.NewKey[string]("lbmethod_heartbeat", func(outer, inner string) string { return inner })

// heartbeat is mod_lbmethod_heartbeat's directive: where the method of that name reads.
func heartbeat(b *method.Heartbeat) site.Module {
	set := func(s *directive.Scope, a directive.Args) error {
		*heartbeats.In(s.Config.Main) = a.Words[0]
		return nil
	}
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		path := *heartbeats.In(c.Main)
		if path == "" {
			path = "hb.dat"
		}
		st.OnCommit(func() { b.SetStorage(c.Tree.RuntimePath(path)) })
		return nil, nil
	}
	return site.Module{Name: "lbmethod_heartbeat", Open: open, Table: directive.Table{
		{Name: "HeartbeatStorage", Set: set, Help: "the file in which mod_heartmonitor says how loaded members are"},
	}}
}

// managing is the handler "balancer-manager" of mod_proxy_balancer.
func managing(farm *balancer.Farm) site.Module {
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		if !c.Loaded("mod_proxy_balancer.c") {
			return nil, nil
		}
		pages := exchange.FromHTTP(manager.New(farm, manager.Options{Version: product, Built: built()}))
		h := exchange.HandlerFunc(func(ctx context.Context, x *exchange.Exchange) error {
			return pages.Serve(manager.WithFacts(ctx, factsOf(st, x)), x)
		})
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("balancer-manager", h)
			return nil
		}, nil
	}
	return site.Module{Name: "proxy_balancer", Open: open}
}

func factsOf(st *site.Site, x *exchange.Exchange) manager.Facts {
	f := proxy.FactsOf(site.HostOf(x).Scope)
	return manager.Facts{
		VHost: x.Server.ID, ServerName: x.ServerName(), Base: x.ConstructURL(""),
		Persisted: f.Persist, Inherited: f.Inherit, PassInherited: f.InheritPass,
		Threads: x.Server.HTTP2.PoolThreads(st.Settings.ThreadsPerChild), TraceOff: x.Server.Trace == exchange.TraceOff,
		Signature: template.HTML(site.Signature(x, "<hr />\n")),
		Log: func(level slog.Level, message string) {
			x.Log("proxy_balancer", levelOf(level), nil, message)
		},
	}
}

func levelOf(l slog.Level) exchange.Level {
	switch {
	case l >= slog.LevelError:
		return exchange.Error
	case l >= slog.LevelWarn:
		return exchange.Warn
	case l >= slog.LevelInfo:
		return exchange.Info
	}
	return exchange.Debug
}

// watching is mod_status.
func (p *program) watching() site.Module {
	m := status.Module(status.Options{Scoreboard: scoreboard{p}, Version: func(*exchange.Exchange) string { return product }, Built: built(), Proxy: p.balancersOf})
	open := m.Open
	m.Open = func(c *directive.Config, st *site.Site) (site.Builder, error) {
		if !c.Loaded("mod_status.c") {
			return nil, nil
		}
		return open(c, st)
	}
	return m
}

// balancersOf is what the status page shows of mod_proxy, with ProxyStatus.
func (p *program) balancersOf(x *exchange.Exchange) []status.Balancer {
	if !proxy.FactsOf(site.HostOf(x).Scope).Status {
		return nil
	}
	var out []status.Balancer
	for _, b := range p.farm.Balancers(x.Server.ID) {
		set := b.Settings()
		row := status.Balancer{Name: b.Name(), Sticky: set.Sticky.Cookie, StickyPath: set.Sticky.Path, Timeout: set.Timeout, Method: set.Method.V}
		for _, w := range b.Members() {
			row.Members = append(row.Members, memberRow(w))
		}
		out = append(out, row)
	}
	return out
}

func memberRow(w *balancer.Worker) status.Member {
	s, a := w.Snapshot(), w.Address()
	set := &s.Settings
	return status.Member{
		Name: w.Name(), Scheme: a.Scheme, Host: a.Host, Status: set.Status.String(), Route: set.Route, Redirect: set.Redirect,
		Factor: set.LoadFactor, Set: set.LBSet, Elected: int64(s.Elected), Busy: s.Busy, Sent: s.Sent, Received: s.Read,
	}
}
