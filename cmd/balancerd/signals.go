package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"balancerd/internal/recovery"
	"balancerd/proxy/exchange"
)

// obey does what signals say until one of them ends the server (httpd: event.c event_run).
func (p *program) obey(signals <-chan os.Signal) {
	for sig := range signals {
		switch sig {
		case syscall.SIGHUP:
			p.log("mpm_event", exchange.Notice, "AH00494: SIGHUP received.  Attempting to restart")
			p.reload()
		case syscall.SIGUSR1:
			p.log("mpm_event", exchange.Notice, "AH00493: SIGUSR1 received.  Doing graceful restart")
			p.reload()
		case syscall.SIGWINCH:
			p.drain(signals)
			return
		default:
			p.server.Halt()
			p.removePid()
			p.log("mpm_event", exchange.Notice, "AH00491: caught SIGTERM, shutting down")
			return
		}
	}
}

// reload reads the configuration again. One that can't be served changes nothing; the error log says
// why.
func (p *program) reload() {
	notify(notifyReloading)
	defer notify(notifyReady)
	before := p.server.Site()
	p.loads++
	err := p.rights.raised(func() error {
		s, err := p.load()
		if err == nil {
			p.noted(s)
			err = p.writePid(s)
		}
		return err
	})
	if err != nil && p.server.Site() == before {
		p.loads--
	}
	if err != nil {
		for line := range strings.Lines(p.words(err)) {
			p.log("core", exchange.Error, strings.TrimSuffix(line, "\n"))
		}
		p.log("core", exchange.Error, "balancerd: the configuration was not loaded; the old one goes on serving")
		return
	}
	if p.background {
		p.stderr(2)
	}
	p.resumed()
}

// drain finishes what is under way, as long as GracefulShutdownTimeout allows and nobody says TERM.
func (p *program) drain(signals <-chan os.Signal) {
	ctx, cancel := context.WithCancel(context.Background())
	if limit := p.server.Site().Settings.GracefulTimeout; limit > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), limit)
	}
	defer cancel()
	p.server.Close()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		recovery.Do("finishing what is under way", func() { p.server.Drain(ctx) })
	}()
	p.removePid()
	p.log("mpm_event", exchange.Notice, "AH00492: caught SIGWINCH, shutting down gracefully")
	for {
		select {
		case <-drained:
			return
		case sig := <-signals:
			if sig == syscall.SIGTERM || sig == syscall.SIGINT {
				cancel()
				<-drained
				return
			}
		}
	}
}

// removePid takes the pid file away, but for -X, as httpd does.
func (p *program) removePid() {
	if p.o.oneProcess() {
		return
	}
	path := p.pid.path
	if err := p.rights.raised(p.pid.remove); err != nil {
		p.log("core", exchange.Error, fmt.Sprintf("%s: AH00095: failed to remove PID file %s", errnoOf(err), path))
		return
	}
	p.log("core", exchange.Info, fmt.Sprintf("AH00096: removed PID file %s (pid=%d)", path, os.Getpid()))
}
