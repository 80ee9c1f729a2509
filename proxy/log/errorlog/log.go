package errorlog

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/log/sink"
)

// maxLine bounds a line with its end (httpd: MAX_STRING_LEN).
const maxLine = 8192

// Log is one server's error log. Immutable; for many goroutines.
type Log struct {
	to      *sink.Log // nil: console
	console io.Writer
	formats *formats // nil: the default line
	pid     int
}

var _ exchange.ErrorLog = (*Log)(nil)

// Console is a log that writes at once, for the time before the logs are open: to stderr.
func Console(w io.Writer) *Log { return &Log{console: w, pid: os.Getpid()} }

// Redirect makes a descriptor, 2 for stderr, write where the log's lines go.
func (l *Log) Redirect(fd int) error { return l.to.Redirect(fd) }

// Write prints an entry, preceded by the lines that ErrorLogFormat wants once a connection and once
// a request (httpd: log.c log_error_core).
func (l *Log) Write(e *exchange.LogEntry) {
	b := lines.Get().(*[]byte)
	defer giveBack(b)
	en := entry{LogEntry: e, log: l}
	o := en.mark()
	if f := l.formats; f != nil {
		about := exchange.LogEntry{Time: e.Time, Level: -1, Conn: en.conn(), Server: e.Server}
		if o.connection {
			l.info(f.connection, &about, b)
		}
		if about.X = e.X; o.request {
			l.info(f.request, &about, b)
		}
		if f.main != nil {
			l.line(e.Level, f.main.append((*b)[:0], &en), b)
			return
		}
	}
	l.line(e.Level, en.appendDefault((*b)[:0]), b)
}

// info prints lines that have no message of their own.
func (l *Log) info(formats []*format, about *exchange.LogEntry, b *[]byte) {
	for _, f := range formats {
		l.line(exchange.Info, f.append((*b)[:0], &entry{LogEntry: about, log: l}), b)
	}
}

var lines = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

func giveBack(b *[]byte) {
	poison.Bytes(*b)
	poison.Put(&lines, b)
}

// line ends a line and hands it over; an empty one is no line. keep gets the storage back.
func (l *Log) line(level exchange.Level, line []byte, keep *[]byte) {
	*keep = line
	if len(line) == 0 {
		return
	}
	if len(line) > maxLine-2 {
		line = line[:maxLine-2]
	}
	line = append(line, '\n')
	*keep = line
	switch {
	case l.console != nil:
		l.console.Write(line)
	case l.to != nil:
		l.to.AppendAs(int(max(level, 0)), line)
	}
}

// entry is a LogEntry on its way to a line.
type entry struct {
	*exchange.LogEntry
	log *Log
}

func (e *entry) conn() *exchange.Conn {
	if e.Conn == nil && e.X != nil {
		return e.X.Conn
	}
	return e.Conn
}

// once says which of the lines that come once are due.
type once struct{ connection, request bool }

// mark gives the request its log id at the first message that concerns it, and notes the first one
// of a connection (httpd: log.c add_log_id).
func (e *entry) mark() (o once) {
	if c := e.conn(); c != nil && atomic.LoadUint32(&c.Logged) == 0 {
		o.connection = atomic.SwapUint32(&c.Logged, 1) == 0
	}
	if e.X != nil && e.X.LogID == "" {
		e.X.LogID, o.request = e.X.UniqueID, true
		if e.X.LogID == "" {
			e.X.LogID = sink.ID(e.X.Start, connID(e.conn()))
		}
	}
	return o
}

func connID(c *exchange.Conn) uint64 {
	if c == nil {
		return 0
	}
	return c.ID
}
