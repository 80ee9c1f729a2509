package main

import (
	"net"
	"os"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// opener gives a load what takes the rights of the main process.
type opener interface {
	// openLogs opens the logs; openLog is one of them, as directive.Options wants it.
	openLogs() error
	openLog(target string) (*os.File, error)
	// openSockets opens the addresses that are not open yet.
	openSockets(next *site.Site) (map[string]*net.TCPListener, error)
}

// attempt is a configuration on its way to be served.
type attempt struct {
	tree       *apacheconf.Tree
	files      directive.FileSystem
	from       opener
	generation int
	stateDir   string
	broken     string // why the main process can't obey it, should nothing else be wrong

	noticed []site.Notice // what the reading, the walk and the modules noticed so far
	hints   []string      // once the site is built
}

// load puts a configuration in force. When it can't be served, whatever served before goes on serving.
func (p *program) load(a *attempt) (*site.Site, error) {
	next, opened, err := p.prepare(a)
	if err != nil {
		return nil, err
	}
	if err := p.server.Swap(next, opened); err != nil { // from now on
		next.Close()
		return nil, err
	}
	return next, nil
}

// prepare is the whole way from a configuration that was read to what can be served, and the one place that
// decides whether it can be: a start, a reload, and -t, -k graceful and -k restart ask it. Where it asks for
// logs and sockets the main process opens them.
func (p *program) prepare(a *attempt) (*site.Site, map[string]*net.TCPListener, error) {
	conf, err := p.bind(a.tree, a.files, a.from.openLog) // what the words mean
	a.noticed = noticesOf(conf.Warnings)
	if err == nil {
		err = a.from.openLogs()
	}
	if err != nil {
		return nil, nil, err
	}
	p.stateDir = a.stateDir
	next, err := site.Build(conf, p.modules, site.Options{Generation: a.generation}) // what the server will do
	if err != nil {
		return nil, nil, err
	}
	var opened map[string]*net.TCPListener
	if err = p.sound(a, next); err == nil {
		opened, err = a.from.openSockets(next)
	}
	if err != nil {
		next.Close()
		return nil, nil, err
	}
	return next, opened, nil
}

// sound is what is wrong with a site that was built and must not be served.
func (p *program) sound(a *attempt, next *site.Site) error {
	a.noticed = append(a.noticed, next.Notices()...)
	p.doubt(next.Config)
	forgive(next.Config)
	a.hints = p.hintsOf(next)
	if err := refusal(next, p.o.name); err != nil {
		return err
	}
	if a.broken != "" {
		return &startError{a.broken}
	}
	return nil
}

// startError is a start's failure in the words of another process.
type startError struct{ words string }

func (e *startError) Error() string { return e.words }

// parse reads the configuration: what the text says.
func (p *program) parse() (*apacheconf.Tree, error) {
	tree, err := apacheconf.ParseFile(p.file, p.reading())
	if err == nil && tree.Partial {
		complete(tree)
	}
	return tree, err
}

// build is a configuration as httpd's -t looks at it: no certificate, no log, no socket.
func (p *program) build(tree *apacheconf.Tree, files directive.FileSystem) (*site.Site, []site.Notice, error) {
	conf, err := p.bind(tree, files, nil)
	noticed := noticesOf(conf.Warnings)
	if err != nil {
		return nil, noticed, err
	}
	s, err := site.Build(conf, p.modules, site.Options{Checking: true})
	if err == nil {
		noticed = append(noticed, s.Notices()...)
	}
	return s, noticed, err
}

func (p *program) reading() apacheconf.Options {
	o := apacheconf.Options{ServerRoot: p.root, Defines: p.o.defines, Before: p.o.before, After: p.o.after,
		Modules: directive.Catalog{}, DefaultFile: p.o.config == ""}
	if !plain(p.o.argv0) {
		o.Assumed = directive.Obeyed()
	}
	return o
}

func (p *program) bind(tree *apacheconf.Tree, files directive.FileSystem, openLog func(string) (*os.File, error)) (*directive.Config, error) {
	o := directive.Options{SkipDocumentRoot: p.o.noRootTest, Files: files, OpenLog: openLog}
	return directive.Bind(tree, o, site.Tables(p.modules)...)
}
