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
}

// Builder adds a module's steps to the plan of one chain of scopes (outermost first: main server,
// virtual host, then the sections in force in merging order). It belongs to one load. It is called
// once a chain, off the hot path, possibly by several goroutines.
type Builder func(chain []*directive.Scope, p *Plan) error

// named is b with its module's name on the steps that it adds, and the site's filters at hand.
func (s *Site) named(module string, b Builder) Builder {
	return func(chain []*directive.Scope, p *Plan) error {
		p.module, p.site, p.chain = module, s, chain
		err := b(chain, p)
		p.site, p.chain = nil, nil
		return err
	}
}
