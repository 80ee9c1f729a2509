package main

import (
	"slices"

	"balancerd/balancer/method"
	"balancerd/proxy"
	"balancerd/proxy/backend"
	"balancerd/proxy/errorlog"
	"balancerd/proxy/http1"
	"balancerd/proxy/http2"
	"balancerd/proxy/mod/accesslog"
	"balancerd/proxy/mod/alias"
	"balancerd/proxy/mod/auth"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/files"
	"balancerd/proxy/mod/h2"
	"balancerd/proxy/mod/headers"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/mod/ssl"
	"balancerd/proxy/site"
)

// modules are all modules, in httpd's order of hooks: within each phase (site.Plan) steps run in the
// order of this list. A URL is mapped by whoever claims it first: the proxy, then an alias, then the
// document root. What changes header fields comes after what sets the variables that they print; its
// early edits put themselves in front.
func modules(p *program, s *state, beat *method.Heartbeat) []site.Module {
	return slices.Concat(
		[]site.Module{
			core.Module(p.sys.Pid),                      // who serves, and with what limits
			errorlog.Module(p.sys.Errors, p.o.name),     // from here on there is a log
			h2.Module(),                                 // before TLS, which asks what is spoken
			s.module(),                                  // where the balancers' state is kept
			heartbeat(beat),                             // what the lbmethod of that name reads
			proxy.HealthModule(),                        // what hc* parameters may name
			proxy.Module(p.farm, schemes(), ssl.Secure), // translate: ProxyPass
			managing(p.farm),                            // the handler balancer-manager
			p.watching(),                                // the handler server-status
			alias.Module(),                              // translate, fixup: Redirect, Alias
			ssl.Module(),                                // early: SNI and Host; access: SSLRequire and the like
			h2.Steps(p.server.Upgrade),                  // fixup: variables, 103, 101
		},
		setenvif.Modules(), // early, header parser: SetEnvIf; fixup: SetEnv
		auth.Modules(),     // access: Require, Order; authentication
		headers.Modules(),  // early, fixup: RequestHeader; reply: Header
		files.Modules(),    // translate: DocumentRoot; fixup: DirectoryIndex; the default handler; reply: content types
		[]site.Module{
			accesslog.IO(),
			accesslog.Module(), // log
		},
	)
}

// schemes are the schemes that members may have.
func schemes() backend.Table {
	h1, h2 := http1.NewBackend(), http2.NewBackend()
	return backend.Table{
		{Name: "http", Backend: h1},
		{Name: "https", Backend: h1, TLS: true},
		{Name: "ws", Backend: h1},
		{Name: "wss", Backend: h1, TLS: true},
		{Name: "h2c", Backend: h2},
		{Name: "h2", Backend: h2, TLS: true},
	}
}
