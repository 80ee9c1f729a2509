package main

import (
	"fmt"
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
	logTo(p.server.Site(), module, level, message)
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
