package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"balancerd/apacheconf/directive"
	"balancerd/cmd/balancerd/cli"
	"balancerd/cmd/balancerd/hints"
	"balancerd/cmd/balancerd/process"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// check reads the configuration and does what needs no server of its own: each verb of -k wants a
// configuration that can be read (httpd: main.c), -t and a reload one that a start would not refuse, which
// httpd's do not ask. start: no server runs, and one shall.
func (l *loader) check() (start bool, exit int) {
	tree, err := l.parse()
	if err != nil {
		return false, l.Refuse(&cli.Failure{Noticed: cli.Notices(tree.Warnings), Words: l.Words(err), After: cli.AfterCheck(err)})
	}
	var broken error // why a start would fail
	a := &process.Attempt{Tree: tree, Files: directive.OSFiles{}, From: &trial{}}
	if !l.Dump && (l.Test || l.Verb == "graceful" || l.Verb == "restart") {
		next, err := l.try(a)
		if err == nil {
			return l.sound(next, a)
		}
		broken = err
	}
	checked, noticed, err := l.build(tree, directive.OSFiles{}) // what httpd's -t finds goes first
	if err != nil {
		return false, l.Refuse(&cli.Failure{Noticed: noticed, Words: l.Words(err), After: cli.AfterCheck(err)})
	}
	defer checked.Close()
	switch {
	case broken != nil:
		f := &cli.Failure{Noticed: noticed, Hints: a.Hints, Words: l.Words(broken), After: cli.AfterStart(broken), Hint: process.ListenHint(broken)}
		return false, l.Refuse(f)
	case l.Dump:
		printed, _ := split(noticed)
		l.Report(printed, nil)
		l.PrintDump(checked, l.modules)
		return false, 0
	}
	return l.control(checked, noticed)
}

// sound goes on with a configuration that a start would not refuse.
func (l *loader) sound(next *site.Site, a *process.Attempt) (start bool, exit int) {
	printed, late := split(a.Noticed)
	if !l.Test {
		return l.control(next, printed)
	}
	l.Report(printed, append(append(a.Hints, late...), hints.Unresolved(next)...))
	fmt.Fprintln(l.Errs, "Syntax OK")
	return false, 0
}

// control obeys a verb of -k.
func (l *loader) control(s *site.Site, noticed []site.Notice) (start bool, exit int) {
	start, exit = process.Control(l.Verb, &process.PidFile{Path: s.Settings.PidFile}, l.Out, l.Errs)
	if !start {
		l.Report(noticed, nil)
	}
	return start, exit
}

// try goes the way of a start up to the first request, and leaves no trace: the site is closed.
func (l *loader) try(a *process.Attempt) (*site.Site, error) {
	next, opened, err := l.prepare(a)
	if err != nil {
		return nil, err
	}
	defer next.Close()
	for _, socket := range opened {
		socket.Close()
	}
	return next, l.startable(next)
}

// startable reports what else a start does with the settings of a site that may fail.
func (l *loader) startable(next *site.Site) error {
	set := &next.Settings
	if os.Geteuid() == 0 && set.User != "" {
		if _, _, _, err := process.Identity(set.User, set.Group); err != nil {
			return err
		}
	}
	if set.PidFile == "" {
		return nil
	}
	d, err := sink.OpenFolder(filepath.Dir(set.PidFile))
	if err != nil {
		return process.NoPidFile(l.Name, set.PidFile, err)
	}
	d.Close()
	return nil
}

// split takes apart what httpd's -t prints and what only its start does, which becomes hints: what -t prints
// stays alike.
func split(all []site.Notice) (printed []site.Notice, late []string) {
	for _, n := range all {
		if !n.AtStart {
			printed = append(printed, n)
		}
	}
	for _, n := range all {
		line := "hint: " + n.Message
		same := func(p site.Notice) bool { return p.Message == n.Message && p.Module == n.Module && p.Level == n.Level }
		if n.AtStart && !slices.ContainsFunc(printed, same) && !slices.Contains(late, line) {
			late = append(late, line)
		}
	}
	return printed, late
}

// trial opens what a start would, as far as it can be done without leaving a trace.
type trial struct{}

var _ process.Opener = (*trial)(nil)

func (t *trial) OpenLogs() error { return nil }

// OpenLog looks whether a log could be written; its lines go nowhere.
func (t *trial) OpenLog(target string) (*os.File, error) {
	var err error
	if sink.Piped(target) {
		err = sink.FindProgram(target)
	} else {
		err = sink.Writable(target)
	}
	if err != nil {
		return nil, err
	}
	return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
}

// OpenSockets listens on each address, for a moment. Those that the running server of the pid file has are
// its own to keep.
func (t *trial) OpenSockets(next *site.Site) (map[string]*net.TCPListener, error) {
	if len(next.Listeners) == 0 {
		return nil, &server.ListenError{Message: server.NoSockets}
	}
	pid := &process.PidFile{Path: next.Settings.PidFile}
	opened := map[string]*net.TCPListener{}
	for _, at := range next.Listeners {
		l, err := server.Listen(context.Background(), at, &next.Settings)
		if err != nil && errors.Is(err, syscall.EADDRINUSE) && pid.Holds(at) {
			continue
		}
		if err != nil {
			for _, l := range opened {
				l.Close()
			}
			return nil, process.StillServed(err)
		}
		opened[at.Address] = l
	}
	return opened, nil
}
