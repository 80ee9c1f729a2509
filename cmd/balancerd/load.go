package main

import (
	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// load is the whole way from a configuration's text to the running server. When any of it fails,
// whatever served before goes on serving.
func (p *program) load() (*site.Site, error) {
	next, err := p.build(false)
	if err != nil {
		return nil, err
	}
	err = refusal(next, p.o.name)
	if err == nil {
		err = p.server.Swap(next) // from now on
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// build is what can be known without serving: the check of -t ends here.
func (p *program) build(checking bool) (*site.Site, error) {
	tree, err := apacheconf.ParseFile(p.file, p.reading()) // what the text says
	if err != nil {
		for _, w := range tree.Warnings {
			level, _ := exchange.ParseLevel(w.Level)
			p.notice(w.Module, level, w.Msg)
		}
		return nil, err
	}
	conf, err := directive.Bind(tree, p.walking(), site.Tables(p.modules)...) // what the words mean
	if err != nil {
		return nil, err
	}
	return site.Build(conf, p.modules, site.Options{Checking: checking, Generation: p.loads}) // what the server will do
}

func (p *program) reading() apacheconf.Options {
	return apacheconf.Options{ServerRoot: p.root, Defines: p.o.defines, Before: p.o.before, After: p.o.after,
		Modules: directive.Catalog{}, DefaultFile: p.o.config == ""}
}

func (p *program) walking() directive.Options {
	return directive.Options{SkipDocumentRoot: p.o.noRootTest}
}
