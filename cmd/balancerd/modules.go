package main

import (
	"net"
	"net/netip"
	"slices"

	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/cmd/balancerd/cli"
	"balancerd/cmd/balancerd/process"
	pages "balancerd/manager"
	"balancerd/proxy/ajp"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	fcgimember "balancerd/proxy/fcgi"
	http1client "balancerd/proxy/http1/client"
	http1 "balancerd/proxy/http1/server"
	http2client "balancerd/proxy/http2/client"
	"balancerd/proxy/log/errorlog"
	"balancerd/proxy/mod/accesslog"
	"balancerd/proxy/mod/actions"
	"balancerd/proxy/mod/alias"
	"balancerd/proxy/mod/auth"
	"balancerd/proxy/mod/bodies"
	"balancerd/proxy/mod/cache"
	"balancerd/proxy/mod/compress"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/dir"
	"balancerd/proxy/mod/expires"
	"balancerd/proxy/mod/express"
	"balancerd/proxy/mod/fcgi"
	"balancerd/proxy/mod/filter"
	"balancerd/proxy/mod/h2"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/mod/headers"
	"balancerd/proxy/mod/heartbeat"
	"balancerd/proxy/mod/manager"
	"balancerd/proxy/mod/mime"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxyhtml"
	"balancerd/proxy/mod/remoteip"
	"balancerd/proxy/mod/reqtimeout"
	"balancerd/proxy/mod/rewrite"
	"balancerd/proxy/mod/scgi"
	"balancerd/proxy/mod/sed"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/mod/slotmem"
	"balancerd/proxy/mod/ssl"
	"balancerd/proxy/mod/static"
	"balancerd/proxy/mod/status"
	"balancerd/proxy/mod/substitute"
	"balancerd/proxy/mod/uniqueid"
	scgimember "balancerd/proxy/scgi"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
	"balancerd/proxy/snapshot"
	"balancerd/proxy/uwsgi"
)

// modules are all modules, in httpd's order of hooks: within each phase (site.Plan) steps run in the
// order of this list. A URL is mapped by whoever claims it first: the proxy, then an alias, then the
// document root. What changes header fields comes after what sets the variables that they print; its
// early edits put themselves in front.
func modules(l *loader, beat *method.Heartbeat) []site.Module {
	members, source := schemes(), &snapshot.Source{Server: l.server, Farm: l.farm}
	return slices.Concat(
		[]site.Module{
			core.Module(),                             // names and limits of servers
			mpm.Module(l.Layout.Pid),                  // where to listen, and as whom
			reqtimeout.Module(),                       // how long requests may take
			errorlog.Module(l.Layout.Errors, l.Name),  // from here on there is a log
			h2.Module(),                               // before TLS, which asks what is spoken
			slotmem.Module(l.store),                   // where the balancers' state is kept
			heartbeat.WatchdogModule(),                // how often it is said how loaded this server is
			heartbeat.SenderModule(source.Workers),    // to whom
			heartbeat.MonitorModule(beat),             // the handler heartbeat: what members say of their load
			heartbeat.Module(beat),                    // what the lbmethod of that name reads
			rewrite.Module(),                          // translate, fixup: rules, before all others
			proxy.Module(l.farm, members, ssl.Secure), // translate: ProxyPass
			express.Module(),                          // translate: ProxyExpress
			hcheck.Module(l.farm, members, proxy.CallsOf(ssl.Secure)), // asks members whether they are well
			fcgi.Module(), // fixup, before SetEnv: what is said of FastCGI members
			scgi.Module(), // likewise of SCGI members
			manager.Module(l.farm, pages.Options{Version: cli.Product, Built: cli.Built()}), // the handler balancer-manager
			status.Module(status.For(source, cli.Product, cli.Built())),                     // the handler server-status
			remoteip.Module(),        // early: whose address the request has
			alias.Module(),           // translate, fixup: Redirect, Alias
			ssl.Module(),             // early: SNI and Host; access: SSLRequire and the like
			h2.Steps(server.Upgrade), // fixup: variables, 103, 101
		},
		filters(),
		setenvif.Modules(),               // early, header parser: SetEnvIf; fixup: SetEnv
		[]site.Module{uniqueid.Module()}, // early: UNIQUE_ID
		auth.Modules(),                   // access: Require, Order; authentication
		headers.Modules(),                // early, fixup: RequestHeader; reply: Header
		[]site.Module{
			mime.Module(),    // types: AddHandler; reply: content types
			static.Module(),  // translate: DocumentRoot; the default handler; reply: charsets
			dir.Module(),     // fixup: DirectoryIndex
			actions.Module(), // before the default handler: Action, Script
			rewrite.Last(),   // fixup: types and handlers that rules force
		},
		cache.Modules(l.caches), // before types, or in the handler's place: answers that are kept
		[]site.Module{
			accesslog.IO(),
			accesslog.Module(), // log
		},
	)
}

// filters are what is done to bodies. Those of one kind run in the order of this list: what SetOutputFilter names, what is
// put in by itself, what mod_filter chooses.
func filters() []site.Module {
	return slices.Concat(
		[]site.Module{filter.Core(), substitute.Module(), sed.Module(), expires.Module()},
		proxyhtml.Modules(), // behind what SetOutputFilter names, in front of what is chosen by type
		compress.Modules(),
		bodies.Modules(),
		[]site.Module{filter.Module()},
	)
}

// schemes are the schemes that members may have.
func schemes() backend.Table {
	h1, h2 := http1client.NewBackend(), http2client.NewBackend()
	return backend.Table{
		{Name: "http", Backend: h1},
		{Name: "https", Backend: h1, TLS: true},
		{Name: "ws", Backend: h1},
		{Name: "wss", Backend: h1, TLS: true},
		{Name: "h2c", Backend: h2},
		{Name: "h2", Backend: h2, TLS: true},
		{Name: "ajp", Backend: ajp.NewBackend()},
		{Name: "fcgi", Backend: fcgimember.NewBackend()},
		{Name: "scgi", Backend: scgimember.NewBackend()},
		{Name: "uwsgi", Backend: uwsgi.NewBackend()},
	}
}

// newLoader makes what lives as long as a process that loads configurations: the balancers, the server, and the
// modules over both.
func newLoader(c *cli.Command) *loader {
	l := &loader{Command: c, store: &slotmem.Store{}, caches: &cache.Stores{}}
	beat := &method.Heartbeat{}
	l.farm = balancer.NewFarm(method.Builtin(beat), l.store)
	l.server = server.New(handshakes())
	l.modules = modules(l, beat)
	return l
}

// assemble is newLoader for a process of the server.
func assemble(c *cli.Command) *process.Program {
	l := newLoader(c)
	return &process.Program{Modules: l.modules, Farm: l.farm, Server: l.server, Parse: l.parse, Build: l.build, Load: l.load}
}

// handshakes tells the server, for each address, how a site makes TLS of a connection; nil where it is plain.
func handshakes() func(*site.Site, netip.AddrPort) http1.TLSHandshake {
	var garbage process.GCTuner
	return func(s *site.Site, local netip.AddrPort) http1.TLSHandshake {
		if !ssl.SecuredAt(s, local) {
			return nil
		}
		return func(nc net.Conn) (net.Conn, *exchange.TLS, error) {
			garbage.Handshake()
			return ssl.Accept(s, nc, s.Default(local).Timeout)
		}
	}
}
