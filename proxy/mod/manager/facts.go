package manager

import (
	"log/slog"

	"balancerd/manager"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/site"
)

// factsOf is what the pages must know of the virtual host that a request is for.
func factsOf(st *site.Site, x *exchange.Exchange) manager.Facts {
	f := proxy.FactsOf(site.HostOf(x).Scope)
	return manager.Facts{
		VHost: x.Server.ID, ServerName: x.ServerName(), Base: x.ConstructURL(""),
		Persisted: f.Persist, Inherited: f.Inherit, PassInherited: f.InheritPass,
		Threads: x.Server.HTTP2.PoolThreads(st.Settings.ThreadsPerChild), TraceOff: x.Server.Trace == exchange.TraceOff,
		Signature: site.Signature(x, "<hr />\n"),
		Log: func(level slog.Level, message string) {
			x.Log("proxy_balancer", levelOf(level), nil, message)
		},
	}
}

// levelOf is httpd's level for one of slog's.
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
