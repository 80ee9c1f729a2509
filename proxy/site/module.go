package site

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// Module is one of httpd's modules: its directives, and what it does at a load. It is timeless; what
// belongs to one load is made by Open.
type Module struct {
	Name  string // source name without "mod_" and ".c": "proxy_balancer"; the name of LogLevel and log lines
	Table directive.Table
	// Open is httpd's post_config: called once a load, in the list's order, after every directive was
	// read. It may fail with a message, and must not change the world: what does goes into
	// Site.OnCommit. nil: nothing to do. A nil Builder takes part in no plan.
	Open func(*directive.Config, *Site) (Builder, error)
}

// Builder adds a module's steps to the plan of one chain of scopes (outermost first: main server,
// virtual host, then the sections in force in merging order). It belongs to one load. It is called
// once a chain, off the hot path, possibly by several goroutines.
type Builder func(chain []*directive.Scope, p *Plan) error

// Plan is what happens to the exchanges that one chain of scopes holds for: httpd's merged per-dir
// configuration, compiled. Immutable once built. Steps run in the order of the modules' list.
type Plan struct {
	Local *exchange.Local // set by core's builder

	// Of the plan of the virtual host alone, before sections are known:
	Early []exchange.Step // post_read_request: remoteip, Header/RequestHeader early, server-level SetEnvIf

	// Of the plan of the host and its matching <Location>s, before mapping:
	// PreTranslate runs while x.Req.Path is normalised but not yet decoded (mapping=encoded). Stop: it
	// is mapped, and the path stays undecoded.
	PreTranslate []exchange.Step
	Translate    []exchange.Step // ProxyPass, Alias, Redirect: Stop when it is settled (x.Filename set)

	Storage []exchange.Step // of the virtual host's plan: what of x.Filename is on disk (x.FileType, x.PathInfo)

	Anew         bool // an internal redirect under the same sections is asked for access again; else it is let in as the request before it was
	FollowsLinks bool // httpd would follow every symbolic link here without a look at each segment (Options)

	// Of the final plan, after mapping:
	Parse   []exchange.Step                 // header_parser: SetEnvIf in sections; not of a lookup for another exchange
	Access  []exchange.Step                 // Require, Order/Allow/Deny, authentication
	Types   []exchange.Step                 // type_checker: AddHandler, SetHandler by an expression
	Fixup   []exchange.Step                 // SetEnv, RequestHeader, Redirect in sections, DirectoryIndex
	Handler exchange.Handler                // SetHandler; nil: the one that x.Handler or the mapping names, see Handlers
	Reply   []exchange.Step                 // Header: the answer's head is there, not yet sent
	TypeOf  func(*exchange.Exchange) string // media type that the mapped name stands for, "" for none; nil: nobody knows any
	Log     []func(context.Context, *exchange.Exchange)

	Handlers map[string]exchange.Handler // by name: "proxy-server", "server-status", "default-handler"
	Named    string                      // SetHandler's word; "" for none
}

// HandlerFor registers a handler under a name that SetHandler or x.Handler may use.
func (p *Plan) HandlerFor(name string, h exchange.Handler) {
	if p.Handlers == nil {
		p.Handlers = map[string]exchange.Handler{}
	}
	p.Handlers[name] = h
}
