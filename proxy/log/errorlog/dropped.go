package errorlog

import (
	"fmt"
	"sync"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// dropReporter tells of lines that error logs lose: the main server's log of those of virtual hosts, stderr of all,
// and the log itself once it takes lines again. Safe for use by many.
type dropReporter struct {
	stderr *Log

	mu      sync.Mutex // guards what follows
	logs    []served
	telling bool // stderr, which may be stuck, has not taken the last report
}

// served is a log and the first server that writes to it.
type served struct {
	log    *Log
	server *exchange.Server
}

func (g *dropReporter) add(l *Log, s *exchange.Server) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.logs {
		if o.log.to == l.to {
			return
		}
	}
	g.logs = append(g.logs, served{l, s})
}

// report is told that a log loses lines, or that a write to it failed.
func (g *dropReporter) report(name string, lost int64, err error) {
	g.mu.Lock()
	var main served
	if len(g.logs) > 0 && g.logs[0].log.to.Name() != name {
		main = g.logs[0]
	}
	mute := g.telling
	g.telling = true
	g.mu.Unlock()
	e := &exchange.LogEntry{Time: time.Now(), Module: "core", Level: exchange.Error, Message: droppedText(name, lost)}
	if err != nil {
		e.Errno, e.Message = exchange.ErrnoText(err), "Error writing to "+name
	}
	if main.log != nil {
		e.Server = main.server
		main.log.Write(e)
	}
	if !mute {
		recovery.Go("telling of lines that were dropped", func() { g.say(e) })
	}
}

// say tells stderr.
func (g *dropReporter) say(e *exchange.LogEntry) {
	g.stderr.Write(e)
	g.mu.Lock()
	g.telling = false
	g.mu.Unlock()
}

// resumed is told that a log takes lines again.
func (g *dropReporter) resumed(name string, lost int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.logs {
		if s.log.to.Name() == name {
			s.log.Write(&exchange.LogEntry{Time: time.Now(), Module: "core", Level: exchange.Error, Server: s.server, Message: droppedText(name, lost)})
			return
		}
	}
}

func droppedText(name string, lost int64) string {
	return fmt.Sprintf("%d lines for %s were dropped: it does not take them fast enough", lost, name)
}
