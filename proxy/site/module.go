package site

import (
	"balancerd/apacheconf/directive"
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

	// Reads names the keys (directive.NewKey) whose settings the Builder looks at. A scope that holds none of
	// them is left out of the chain that the Builder is given, but for the main server's, and what it adds
	// is shared by all chains that differ in such scopes only. nil: it looks at every scope.
	Reads []string
	// PerHost: what the Builder adds depends on the virtual host, whatever that holds.
	PerHost bool
	// Maps names those of Reads whose settings in an <If> count already while the request is mapped.
	Maps []string
	// Loads names those of Reads for which the Builder reads files or may fail: it sees each section that
	// holds one of them behind each virtual host while the configuration is loaded.
	Loads []string
}

// Builder adds a module's steps to the plan of one chain of scopes (outermost first: main server,
// virtual host, then the sections in force in merging order), without those that Module.Reads leaves out. It
// belongs to one load. It is called off the hot path, possibly by several goroutines. Of p it may look at
// Local and Named, as the modules before it have set them, if Reads has the keys that these come from.
type Builder func(chain []*directive.Scope, p *Plan) error
