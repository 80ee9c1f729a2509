package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"balancerd/internal/recovery"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1"
	"balancerd/proxy/site"
)

// keepEvery is how often the balancers' state is saved, where BalancerPersist asks for it.
const keepEvery = 10 * time.Second

// serve loads the configuration and serves until a signal ends it. What goes wrong before that is
// said on stderr.
func (p *program) serve(own launcher) int {
	if own.background() {
		os.Chdir("/") // httpd: apr_proc_detach
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGWINCH)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a reader of stdout that went away is no reason to end
	s, err := p.load()
	if err != nil {
		return p.refuse(err, failedStart(err))
	}
	if err := p.settle(s, own); err != nil {
		fmt.Fprintln(p.errs, err)
		p.server.Abandon()
		return 1
	}
	p.noted(s)
	spareProcessors()
	ctx, end := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); recovery.Do("serving", func() { p.server.Run(ctx) }) }()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		recovery.Keep("keeping members' states", func() { p.farm.Keep(ctx, keepEvery, p.unkept) })
	}()
	p.resumed()
	notify(notifyReady)
	if p.started != nil {
		p.started()
	}
	p.obey(signals)
	notify(notifyStopping)
	end()
	<-kept
	<-over
	return 0
}

// spareProcessors lets as many goroutines run at a time as the engine wants, unless the environment says
// how many.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(http1.Processors(runtime.GOMAXPROCS(0)))
	}
}

// settle is what comes between open sockets and the first request: the pid file, the user's identity,
// and the terminal's end.
func (p *program) settle(s *site.Site, own launcher) error {
	if err := p.writePid(s); err != nil {
		return err
	}
	warning, err := p.rights.lower(&s.Settings)
	if err != nil {
		p.pid.remove()
		return err
	}
	if warning != "" {
		p.log("unixd", exchange.Alert, warning)
	}
	if !own.background() {
		return nil
	}
	p.errs, p.background = io.Discard, true
	return own.ready(func(fd int) error { return p.stderr(fd) })
}

// writePid writes PidFile, at the start and at each reload, when it may be another one.
func (p *program) writePid(s *site.Site) error {
	if p.pid.path != s.Settings.PidFile {
		p.pid.remove()
		p.pid = pidFile{path: s.Settings.PidFile}
	}
	over, err := p.pid.write()
	if err != nil {
		return fmt.Errorf("%s: AH00099: could not create %s.XXXXXX\nAH00100: %s: could not log pid to file %s", errnoOf(err), p.pid.path, p.o.name, p.pid.path)
	}
	if over {
		p.log("core", exchange.Warn, "AH00098: pid file "+p.pid.path+" overwritten -- Unclean shutdown of previous Apache run?")
	}
	return nil
}

// stderr makes a descriptor write to the main error log: what Go itself says, a panic above all.
func (p *program) stderr(fd int) error {
	l, ok := p.server.Site().ErrorLog.(interface{ Redirect(fd int) error })
	if !ok {
		return errors.New("the error log is no file")
	}
	return l.Redirect(fd)
}

// resumed are the lines after each successful load.
func (p *program) resumed() {
	p.log("mpm_event", exchange.Notice, "AH00489: "+product+" configured -- resuming normal operations")
	p.log("mpm_event", exchange.Info, "AH00490: Server built: "+built())
	p.log("core", exchange.Notice, "AH00094: Command line: '"+strings.Join(p.o.rendered, " ")+"'")
	trim()
}

func (p *program) unkept(err error) { p.log("proxy_balancer", exchange.Error, err.Error()) }
