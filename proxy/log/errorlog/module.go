package errorlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/site"
)

// settings are one server's directives.
type settings struct {
	target  string // ErrorLog; "" for the main server's
	formats formats
}

var servers = directive.NewKey[settings]("errorlog", merge)

// merge: each kind of ErrorLogFormat is inherited by itself (httpd: core.c merge_core_server_configs).
func merge(outer, inner settings) settings {
	m := inner
	if m.target == "" {
		m.target = outer.target
	}
	if m.formats.main == nil {
		m.formats.main = outer.formats.main
	}
	if m.formats.connection == nil {
		m.formats.connection = outer.formats.connection
	}
	if m.formats.request == nil {
		m.formats.request = outer.formats.request
	}
	return m
}

// Module is the core's error log. It stands early in the modules' list, after core itself: what goes
// wrong later can then be logged. file is the ErrorLog of a configuration that has none, program the
// server's name in messages and in the system's log.
func Module(file, program string) site.Module {
	o := opener{file, program}
	return site.Module{Name: "core", Open: o.open, Table: directive.Table{
		{Name: "ErrorLog", Process: true, File: directive.WritesLog, Set: setErrorLog, Help: "a file, a program, or syslog[:facility[:tag]]"},
		{Name: "ErrorLogFormat", Process: true, Set: setFormat, Help: "how a line of the error log is made"},
	}}
}

func setErrorLog(s *directive.Scope, a directive.Args) error {
	servers.In(s).target = a.Words[0]
	return nil
}

// setFormat: without a second word the format of messages, else of the lines that come once a
// connection or once a request.
func setFormat(s *directive.Scope, a directive.Args) error {
	c := &servers.In(s).formats
	if len(a.Words) == 1 {
		f, err := compile(a.Words[0], true)
		c.main = f
		return err
	}
	to := &c.request
	switch strings.ToLower(a.Words[0]) {
	case "connection":
		to = &c.connection
	case "request":
	default:
		return errors.New("ErrorLogFormat type must be one of request, connection")
	}
	f, err := compile(a.Words[1], false)
	if err == nil && a.Words[1] != "" {
		*to = append(*to, f)
	}
	return err
}

type opener struct{ file, program string }

// open checks that the logs' folders are there, which -t does too, and opens one log a server
// (httpd: core.c core_check_config, log.c ap_open_logs).
func (o opener) open(c *directive.Config, st *site.Site) (site.Builder, error) {
	main := servers.In(c.Main)
	if main.target == "" {
		main.target = o.file
		if c.Tree.Partial {
			main.target = "/dev/stderr"
		}
	}
	st.Settings.ErrorLogFile = main.target
	if err := checkFolders(st); err != nil {
		return nil, err
	}
	if st.Checking {
		return nil, nil
	}
	g := &dropReporter{stderr: Console(os.Stderr)}
	set := sink.NewSet(sink.Options{Root: st.Settings.ServerRoot, Program: o.program, Died: died(st.Hosts[0].Server), Open: c.OpenLog, Report: g.report, Resumed: g.resumed})
	st.OnClose(set.Close)
	for _, h := range st.Hosts {
		s := *main
		if !h.Server.Main {
			s = servers.Merged(c.Main, h.Scope)
		}
		l, err := o.log(set, &s)
		if err != nil {
			return nil, err
		}
		h.Server.ErrorLog = l
		g.add(l, h.Server)
	}
	st.ErrorLog = st.Hosts[0].Server.ErrorLog
	return nil, nil
}

// died tells of a program that ended by itself in whatever log the main server has. It holds no more of the load
// than that server: the log outlives the site when a tunnel does.
func died(main *exchange.Server) func(string, error) {
	return func(program string, _ error) {
		if l := main.ErrorLog; l != nil {
			l.Write(&exchange.LogEntry{Time: time.Now(), Module: "core", Level: exchange.Warn, Server: main,
				Message: "AH00106: piped log program '" + program + "' failed unexpectedly"})
		}
	}
}

func (o opener) log(set *sink.Set, s *settings) (*Log, error) {
	l := &Log{pid: os.Getpid()}
	if f := s.formats; f.main != nil || f.connection != nil || f.request != nil {
		l.formats = &f
	}
	var err error
	if sink.IsSyslog(s.target) {
		if l.to, err = set.OpenSyslog(s.target); err != nil {
			_, rest, _ := strings.Cut(s.target, ":")
			return nil, o.failed("(20024)The given path is misformatted or contained invalid characters: AH10036: %s: could not open syslog error log %s.", o.program, rest)
		}
		return l, nil
	}
	if l.to, err = set.Open(s.target); err == nil {
		return l, nil
	}
	if sink.Piped(s.target) {
		return nil, o.failed("%s: AH00089: Couldn't start ErrorLog process '%s'.", exchange.ErrnoText(err), s.target[1:])
	}
	return nil, o.failed("%s: AH00091: %s: could not open error log file %s.", exchange.ErrnoText(err), o.program, set.Path(s.target))
}

func (o opener) failed(format string, args ...any) error {
	return &sink.OpenError{Message: fmt.Sprintf(format, args...)}
}

func checkFolders(st *site.Site) error {
	var all []string
	for _, h := range st.Hosts {
		target := servers.Merged(h.Scope).target
		if target == "" || sink.Piped(target) || sink.IsSyslog(target) {
			continue
		}
		dir := filepath.Dir(st.Config.Tree.Path(target))
		if err := st.Config.IsFolder(dir); err != nil {
			whose := "main error log"
			if !h.Server.Main {
				whose = "error log of vhost defined at " + h.Server.DefinedAt
			}
			all = append(all, fmt.Sprintf("%s: AH02291: Cannot access directory '%s/' for %s", exchange.ErrnoText(err), strings.TrimSuffix(dir, "/"), whose))
		}
	}
	if all == nil {
		return nil
	}
	return errors.New(strings.Join(all, "\n"))
}
