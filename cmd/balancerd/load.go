package main

import (
	"net"
	"os"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/cmd/balancerd/cli"
	"balancerd/cmd/balancerd/fragment"
	"balancerd/cmd/balancerd/hints"
	"balancerd/cmd/balancerd/process"
	"balancerd/proxy/mod/cache"
	"balancerd/proxy/mod/slotmem"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// loader puts configurations in force in this process. Owned by the goroutine that loads.
type loader struct {
	*cli.Command
	modules []site.Module
	farm    *balancer.Farm
	store   *slotmem.Store
	caches  *cache.Stores
	server  *server.Server
}

// load puts a configuration in force. When it can't be served, whatever served before goes on serving.
func (l *loader) load(a *process.Attempt) (*site.Site, error) {
	next, opened, err := l.prepare(a)
	if err != nil {
		return nil, err
	}
	a.Tree.Nodes = nil                                  // what they say is in the site
	if err := l.server.Swap(next, opened); err != nil { // from now on
		next.Close()
		return nil, err
	}
	return next, nil
}

// prepare is the whole way from a configuration that was read to what can be served, and the one place that
// decides whether it can be: a start, a reload, and -t, -k graceful and -k restart ask it. Where it asks for
// logs and sockets the main process opens them.
func (l *loader) prepare(a *process.Attempt) (*site.Site, map[string]*net.TCPListener, error) {
	conf, err := l.bind(a.Tree, a.Files, a.From.OpenLog) // what the words mean
	a.Noticed = cli.Notices(conf.Warnings)
	if err == nil {
		err = a.From.OpenLogs()
	}
	if err != nil {
		return nil, nil, err
	}
	l.store.Folder(a.StateDir)
	next, err := site.Build(conf, l.modules, site.Options{Generation: a.Generation}) // what the server will do
	if err != nil {
		return nil, nil, err
	}
	var opened map[string]*net.TCPListener
	if err = l.unsound(a, next); err == nil {
		opened, err = a.From.OpenSockets(next)
	}
	if err != nil {
		next.Close()
		return nil, nil, err
	}
	return next, opened, nil
}

// unsound returns what is wrong with a site that was built and must not be served; nil for nothing.
func (l *loader) unsound(a *process.Attempt, next *site.Site) error {
	a.Noticed = append(a.Noticed, next.Notices()...)
	hints.Doubt(next.Config, schemes(), l.Layout.Files)
	hints.Unreachable(next)
	a.Hints = hints.Lines(next, l.Test && l.Version)
	if err := hints.Refusal(next, l.Name); err != nil {
		return err
	}
	if a.Broken != "" {
		return &process.StartError{Words: a.Broken}
	}
	return nil
}

// parse reads the configuration: what the text says.
func (l *loader) parse() (*apacheconf.Tree, error) {
	tree, err := apacheconf.ParseFile(l.File, l.reading())
	if err == nil && tree.Partial {
		fragment.Complete(tree)
	}
	return tree, err
}

// build builds a configuration as httpd's -t looks at it: no certificate, no log, no socket.
func (l *loader) build(tree *apacheconf.Tree, files directive.FileSystem) (*site.Site, []site.Notice, error) {
	conf, err := l.bind(tree, files, nil)
	noticed := cli.Notices(conf.Warnings)
	if err != nil {
		return nil, noticed, err
	}
	s, err := site.Build(conf, l.modules, site.Options{Checking: true})
	if err == nil {
		noticed = append(noticed, s.Notices()...)
	}
	return s, noticed, err
}

func (l *loader) reading() apacheconf.Options {
	o := apacheconf.Options{ServerRoot: l.ServerRoot, Defines: l.Defines, Before: l.Before, After: l.After,
		Modules: directive.Catalog{}, DefaultFile: l.Config == ""}
	if !cli.SpeaksHTTPD(l.Argv0) {
		o.Assumed = directive.Obeyed()
	}
	return o
}

func (l *loader) bind(tree *apacheconf.Tree, files directive.FileSystem, openLog func(string) (*os.File, error)) (*directive.Config, error) {
	o := directive.Options{SkipDocumentRoot: l.SkipDocumentRoot, Files: files, OpenLog: openLog}
	return directive.Bind(tree, o, site.Tables(l.modules)...)
}
