package main

import (
	"os"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// load is the whole way from a configuration that was read to the running server. When any of it fails,
// whatever served before goes on serving. Where it asks for logs and sockets the main process opens them.
func (p *program) load(h *handover) (*site.Site, error) {
	defer h.close()
	conf, err := p.bind(h.tree, h.files, h.openLog) // what the words mean
	if err == nil {
		err = h.openLogs()
	}
	if err != nil {
		return nil, err
	}
	p.stateDir = h.order.StateDir
	next, err := site.Build(conf, p.modules, site.Options{Generation: h.order.Generation}) // what the server will do
	if err != nil {
		return nil, err
	}
	err = h.sound(next)
	if err == nil {
		opened, oerr := h.openSockets()
		if err = oerr; err == nil {
			err = p.server.Swap(next, opened) // from now on
		}
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// build is what can be known without serving: the check of -t.
func (p *program) build() (*site.Site, error) {
	tree, err := apacheconf.ParseFile(p.file, p.reading()) // what the text says
	if err != nil {
		p.sayWarnings(tree)
		return nil, err
	}
	conf, err := p.bind(tree, directive.OSFiles{}, nil)
	if err != nil {
		return nil, err
	}
	return site.Build(conf, p.modules, site.Options{Checking: true})
}

func (p *program) reading() apacheconf.Options {
	return apacheconf.Options{ServerRoot: p.root, Defines: p.o.defines, Before: p.o.before, After: p.o.after,
		Modules: directive.Catalog{}, DefaultFile: p.o.config == ""}
}

func (p *program) bind(tree *apacheconf.Tree, files directive.FileSystem, openLog func(string) (*os.File, error)) (*directive.Config, error) {
	o := directive.Options{SkipDocumentRoot: p.o.noRootTest, Files: files, OpenLog: openLog}
	return directive.Bind(tree, o, site.Tables(p.modules)...)
}
