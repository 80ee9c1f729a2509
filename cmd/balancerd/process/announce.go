package process

import (
	"fmt"
	"os"
	"strings"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// log writes a line of the server itself to the main error log of the configuration in force.
func (s *supervisor) log(module string, level exchange.Level, message string) {
	logTo(s.own.Load(), module, level, message)
}

// stderr makes a descriptor write to that log.
func (s *supervisor) stderr(fd int) error { return writeToLog(s.own.Load(), fd) }

// writePid writes PidFile, at the start and at each reload, when it may be another one.
func (s *supervisor) writePid(own *site.Site) error {
	if own.Settings.PidFile == "" {
		return nil
	}
	next := s.pid
	if next.Path != own.Settings.PidFile {
		next = PidFile{Path: own.Settings.PidFile}
	}
	over, err := next.write()
	if err != nil {
		return NoPidFile(s.Name, next.Path, err) // the one before stays
	}
	if s.pid.Path != next.Path {
		s.pid.remove()
	}
	s.pid = next
	if over {
		s.log("core", exchange.Warn, "AH00098: pid file "+s.pid.Path+" overwritten -- Unclean shutdown of previous Apache run?")
	}
	return nil
}

// removePid takes the pid file away, but for -X, as httpd does.
func (s *supervisor) removePid() {
	if s.OneProcess() {
		return
	}
	path := s.pid.Path
	if err := s.pid.remove(); err != nil {
		s.log("core", exchange.Error, fmt.Sprintf("%s: AH00095: failed to remove PID file %s", cli.ErrnoOf(err), path))
		return
	}
	s.log("core", exchange.Info, fmt.Sprintf("AH00096: removed PID file %s (pid=%d)", path, os.Getpid()))
}

// resumed are the lines after each successful load.
func (s *supervisor) resumed() {
	s.log("mpm_event", exchange.Notice, "AH00489: "+cli.Product+" configured -- resuming normal operations")
	s.log("mpm_event", exchange.Info, "AH00490: Server built: "+cli.Built())
	s.log("core", exchange.Notice, "AH00094: Command line: '"+strings.Join(s.Rendered, " ")+"'")
}
