package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"balancerd/proxy/errorlog"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// notice prints a line of the start on stderr if -e lets it pass. Without a module it stands alone
// (httpd: APLOG_STARTUP); else it looks as in the error log.
func (p *program) notice(module string, level exchange.Level, message string) {
	switch {
	case level > p.o.level && level != exchange.Notice:
	case module == "":
		fmt.Fprintln(p.errs, message)
	default:
		errorlog.Console(p.errs).Write(&exchange.LogEntry{Time: time.Now(), Module: module, Level: level, Message: message})
	}
}

// log writes a line of the server itself to the main error log. Notices pass whatever LogLevel says.
func (p *program) log(module string, level exchange.Level, message string) {
	s := p.own.Load()
	if s == nil {
		s = p.server.Site()
	}
	logTo(s, module, level, message)
}

func logTo(s *site.Site, module string, level exchange.Level, message string) {
	if s == nil || s.ErrorLog == nil {
		return
	}
	main := s.Hosts[0].Server
	if level != exchange.Notice && level > main.Levels.Of(module) {
		return
	}
	s.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: module, Level: level, Message: message, Server: main})
}

// writePid writes PidFile, at the start and at each reload, when it may be another one.
func (p *program) writePid(s *site.Site) error {
	if s.Settings.PidFile == "" {
		return nil
	}
	if p.pid.path != s.Settings.PidFile {
		p.pid.remove()
		p.pid = pidFile{path: s.Settings.PidFile}
	}
	over, err := p.pid.write()
	if err != nil {
		return p.noPidFile(p.pid.path, err)
	}
	if over {
		p.log("core", exchange.Warn, "AH00098: pid file "+p.pid.path+" overwritten -- Unclean shutdown of previous Apache run?")
	}
	return nil
}

func (p *program) noPidFile(path string, err error) error {
	return fmt.Errorf("%s: AH00099: could not create %s.XXXXXX\nAH00100: %s: could not log pid to file %s", errnoOf(err), path, p.o.name, path)
}

// removePid takes the pid file away, but for -X, as httpd does.
func (p *program) removePid() {
	if p.o.oneProcess() {
		return
	}
	path := p.pid.path
	if err := p.pid.remove(); err != nil {
		p.log("core", exchange.Error, fmt.Sprintf("%s: AH00095: failed to remove PID file %s", errnoOf(err), path))
		return
	}
	p.log("core", exchange.Info, fmt.Sprintf("AH00096: removed PID file %s (pid=%d)", path, os.Getpid()))
}

// stderr makes a descriptor write to the main error log: what Go itself says, a panic above all.
func (p *program) stderr(fd int) error {
	s := p.own.Load()
	if s == nil {
		s = p.server.Site()
	}
	l, ok := s.ErrorLog.(interface{ Redirect(fd int) error })
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
}
