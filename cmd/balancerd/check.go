package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/logfile"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// check reads the configuration and does what needs no server of its own: each verb of -k wants a
// configuration that can be read (httpd: main.c), -t and a reload one that a start would not refuse, which
// httpd's do not ask. start: no server runs, and one shall.
func (p *program) check() (start bool, exit int) {
	tree, err := p.parse()
	if err != nil {
		return false, p.refuse(&failure{Noticed: noticesOf(tree.Warnings), Words: p.words(err), After: p.failedCheck(err)})
	}
	checked, noticed, err := p.build(tree, directive.OSFiles{})
	if err != nil {
		return false, p.refuse(&failure{Noticed: noticed, Words: p.words(err), After: p.failedCheck(err)})
	}
	defer checked.Close()
	if p.o.dump {
		p.tell(noticed, nil)
		return false, p.dump(checked)
	}
	p.pid.path = checked.Settings.PidFile
	var found []string
	if p.o.test || p.o.verb == "graceful" || p.o.verb == "restart" {
		a := &attempt{tree: tree, files: directive.OSFiles{}, from: &trial{p: p}}
		if err := p.try(a); err != nil {
			f := &failure{Noticed: noticed, Hints: a.hints, Words: p.words(err), After: failedStart(err), Hint: listenHint(err)}
			return false, p.refuse(f)
		}
		found = append(a.hints, lateNotices(a.noticed, noticed)...)
	}
	if p.o.test {
		p.tell(noticed, append(found, p.unresolved(checked)...))
		fmt.Fprintln(p.errs, "Syntax OK")
		return false, 0
	}
	start, exit = control(p.o.verb, &p.pid, p.out, p.errs)
	if !start {
		p.tell(noticed, nil)
	}
	return start, exit
}

// try goes the way of a start up to the first request, and leaves no trace.
func (p *program) try(a *attempt) error {
	next, opened, err := p.prepare(a)
	if err != nil {
		return err
	}
	defer next.Close()
	for _, l := range opened {
		l.Close()
	}
	set := &next.Settings
	if os.Geteuid() == 0 && set.User != "" {
		if _, _, _, err := identity(set.User, set.Group); err != nil {
			return err
		}
	}
	if set.PidFile == "" {
		return nil
	}
	d, err := logfile.OpenFolder(filepath.Dir(set.PidFile))
	if err != nil {
		return p.noPidFile(set.PidFile, err)
	}
	d.Close()
	return nil
}

// lateNotices are those of a start that httpd's -t does not have, as hints: what it prints stays alike.
func lateNotices(all, told []site.Notice) (lines []string) {
	for _, n := range all {
		if line := "hint: " + n.Message; !slices.Contains(told, n) && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// trial opens what a start would, as far as it can be done without leaving a trace.
type trial struct{ p *program }

var _ opener = (*trial)(nil)

func (t *trial) openLogs() error { return nil }

// openLog looks whether a log could be written; its lines go nowhere.
func (t *trial) openLog(target string) (*os.File, error) {
	var err error
	if logfile.Piped(target) {
		err = logfile.FindProgram(target)
	} else {
		err = logfile.Writable(target)
	}
	if err != nil {
		return nil, err
	}
	return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
}

// openSockets listens on each address, for a moment. Those that the running server of the pid file has are
// its own to keep.
func (t *trial) openSockets(next *site.Site) (map[string]*net.TCPListener, error) {
	if len(next.Listeners) == 0 {
		return nil, &server.ListenError{Message: server.NoSockets}
	}
	opened := map[string]*net.TCPListener{}
	for _, at := range next.Listeners {
		l, err := server.Listen(context.Background(), at, &next.Settings)
		if err != nil && errors.Is(err, syscall.EADDRINUSE) && t.p.holds(at) {
			continue
		}
		if err != nil {
			for _, l := range opened {
				l.Close()
			}
			return nil, stillServed(err)
		}
		opened[at.Address] = l
	}
	return opened, nil
}

// stillServed takes the end of a start out of an error of one address: where a server runs, or none is
// started, nothing shuts down.
func stillServed(err error) error {
	var e *server.ListenError
	if !errors.As(err, &e) || e.Message == server.NoSockets {
		return err
	}
	short := *e
	short.Message = strings.TrimSuffix(e.Message, "\n"+server.NoSockets)
	return &short
}

// listenHint tells where the address stands that can't be listened on, and who has it.
func listenHint(err error) string {
	var e *server.ListenError
	if !errors.As(err, &e) || e.At.Pos == "" {
		return ""
	}
	line := "hint: " + e.At.Pos + ": Listen " + e.At.Text
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		if names := holderNames(portHolders(e.At.Address)); names != "" {
			return line + ": " + "taken by " + names
		}
		return line + ": another process, or another Listen line, has it"
	case errors.Is(e.Err, syscall.EACCES):
		return line + ": only root may; where no file has a Listen line, -c \"Listen 8080\" takes another port"
	}
	return line
}
