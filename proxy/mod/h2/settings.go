package h2

import (
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// settings is what the main server or a virtual host says (httpd: h2_config).
type settings struct {
	streams, window, frameLen, block, errors directive.Opt[int]
	minWorkers, maxWorkers, padding          directive.Opt[int]
	timeout                                  directive.Opt[time.Duration]
	direct, modern, hints, sockets           exchange.Switch
}

var servers = directive.NewKey("http2", func(outer, inner settings) settings {
	inner.streams = inner.streams.Over(outer.streams)
	inner.window = inner.window.Over(outer.window)
	inner.frameLen = inner.frameLen.Over(outer.frameLen)
	inner.block = inner.block.Over(outer.block)
	inner.errors = inner.errors.Over(outer.errors)
	inner.minWorkers = inner.minWorkers.Over(outer.minWorkers)
	inner.maxWorkers = inner.maxWorkers.Over(outer.maxWorkers)
	inner.padding = inner.padding.Over(outer.padding)
	inner.timeout = inner.timeout.Over(outer.timeout)
	inner.direct = over(inner.direct, outer.direct)
	inner.modern = over(inner.modern, outer.modern)
	inner.hints = over(inner.hints, outer.hints)
	inner.sockets = over(inner.sockets, outer.sockets)
	return inner
})

func over(inner, outer exchange.Switch) exchange.Switch {
	if inner != exchange.Unset {
		return inner
	}
	return outer
}

// dirSettings is what any scope may say (httpd: h2_dir_config). Hints of an inner scope replace those
// of an outer one.
type dirSettings struct {
	upgrade      exchange.Switch
	hints, links []exchange.Field
}

var dirs = directive.NewKey("http2 dir", func(outer, inner dirSettings) dirSettings {
	inner.upgrade = over(inner.upgrade, outer.upgrade)
	if inner.hints == nil {
		inner.hints = outer.hints
	}
	if inner.links == nil {
		inner.links = outer.links
	}
	return inner
})

// fill puts what holds for a virtual host where http2/server reads it.
func fill(c *directive.Config, h *site.Host) {
	v := servers.Merged(c.Main)
	if h.Scope != c.Main {
		v = servers.Merged(c.Main, h.Scope)
	}
	h.Server.HTTP2 = exchange.HTTP2{
		Loaded: c.Loaded("mod_http2.c"), Streams: v.streams.Or(0), Window: v.window.Or(0), Timeout: v.timeout.Or(0), FrameLen: v.frameLen.Or(0),
		HeaderBlock: v.block.Or(0), Errors: v.errors.Or(0), Direct: v.direct, OldTLS: !v.modern.Or(true), EarlyHints: v.hints.Or(false), WebSockets: v.sockets.Or(false), Padding: v.padding.Or(0),
		MinWorkers: v.minWorkers.Or(0), MaxWorkers: v.maxWorkers.Or(0),
	}
}
