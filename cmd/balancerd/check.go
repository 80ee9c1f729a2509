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
	checked, noticed, err := l.build(tree, directive.OSFiles{})
	if err != nil {
		return false, l.Refuse(&cli.Failure{Noticed: noticed, Words: l.Words(err), After: cli.AfterCheck(err)})
	}
	defer checked.Close()
	if l.Dump {
		l.Report(noticed, nil)
		l.PrintDump(checked, l.modules)
		return false, 0
	}
	pid := &process.PidFile{Path: checked.Settings.PidFile}
	var found []string
	if l.Test || l.Verb == "graceful" || l.Verb == "restart" {
		a := &process.Attempt{Tree: tree, Files: directive.OSFiles{}, From: &trial{pid}}
		if err := l.try(a); err != nil {
			f := &cli.Failure{Noticed: noticed, Hints: a.Hints, Words: l.Words(err), After: cli.AfterStart(err), Hint: process.ListenHint(err)}
			return false, l.Refuse(f)
		}
		found = append(a.Hints, lateNotices(a.Noticed, noticed)...)
	}
	if l.Test {
		l.Report(noticed, append(found, hints.Unresolved(checked)...))
		fmt.Fprintln(l.Errs, "Syntax OK")
		return false, 0
	}
	start, exit = process.Control(l.Verb, pid, l.Out, l.Errs)
	if !start {
		l.Report(noticed, nil)
	}
	return start, exit
}

// try goes the way of a start up to the first request, and leaves no trace.
func (l *loader) try(a *process.Attempt) error {
	next, opened, err := l.prepare(a)
	if err != nil {
		return err
	}
	defer next.Close()
	for _, socket := range opened {
		socket.Close()
	}
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

// lateNotices are those of a start that httpd's -t does not have, as hints: what it prints stays alike.
func lateNotices(all, printed []site.Notice) (lines []string) {
	for _, n := range all {
		if line := "hint: " + n.Message; !slices.Contains(printed, n) && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// trial opens what a start would, as far as it can be done without leaving a trace.
type trial struct{ pid *process.PidFile }

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
	opened := map[string]*net.TCPListener{}
	for _, at := range next.Listeners {
		l, err := server.Listen(context.Background(), at, &next.Settings)
		if err != nil && errors.Is(err, syscall.EADDRINUSE) && t.pid.Holds(at) {
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
