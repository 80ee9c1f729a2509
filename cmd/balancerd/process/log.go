package process

import (
	"errors"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// logTo writes a line of the server itself to a site's main error log. Notices pass whatever LogLevel says.
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

// logStart writes what the start printed to the log of its site, but for what has no module. httpd reads
// everything twice, and says it twice. printed: it stands on stderr.
func logStart(s *site.Site, a *Attempt, printed bool) {
	if printed && s.Settings.ErrorLogFile == "/dev/stderr" {
		return // it stands there already
	}
	for _, n := range a.Noticed {
		if n.Module != "" {
			logTo(s, n.Module, n.Level, n.Message)
		}
	}
	for _, line := range a.Hints {
		logTo(s, directive.HintModule, exchange.Warn, line)
	}
}

// writeToLog makes a descriptor write to a site's main error log: what Go itself says, a panic above all.
func writeToLog(s *site.Site, fd int) error {
	l, ok := s.ErrorLog.(interface{ Redirect(fd int) error })
	if !ok {
		return errors.New("the error log is no file")
	}
	return l.Redirect(fd)
}
