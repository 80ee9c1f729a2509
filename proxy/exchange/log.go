package exchange

import (
	"time"
)

// Level is a LogLevel keyword: smaller is graver.
type Level int8

// The levels, emerg to trace8.
const (
	Emerg Level = iota
	Alert
	Crit
	Error
	Warn
	Notice
	Info
	Debug
	Trace1
	Trace2
	Trace8 Level = 15
)

var levelNames = [...]string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
	"trace1", "trace2", "trace3", "trace4", "trace5", "trace6", "trace7", "trace8"}

func (l Level) String() string { return levelNames[l] }

// ParseLevel finds a level by its keyword, any case.
func ParseLevel(word string) (Level, bool) {
	for i, n := range levelNames {
		if EqualFold(word, n) {
			return Level(i), true
		}
	}
	return 0, false
}

// Levels is LogLevel: a level for all modules and exceptions by module ("proxy_http" without
// mod_ and .c). Immutable.
type Levels struct {
	All Level
	By  map[string]Level
}

// Of is the level in force for a module; a nil Levels is warn.
func (l *Levels) Of(module string) Level {
	if l == nil {
		return Warn
	}
	if v, ok := l.By[module]; ok {
		return v
	}
	return l.All
}

// LogEntry is one line of the error log before formatting.
type LogEntry struct {
	Time    time.Time
	Module  string // "proxy_http"
	Level   Level
	File    string // source place, printed at debug and below
	Errno   string // "(111)Connection refused", "" for none
	Message string // with its AH number: "AH01114: HTTP: failed …"
	Conn    *Conn
	X       *Exchange // nil for messages of the server itself
	Server  *Server
}

// ErrorLog writes entries. It must be safe for use by many goroutines and must copy what it keeps.
type ErrorLog interface {
	Write(*LogEntry)
}

// Enabled reports whether a message of that module and level would be written. Notices always are
// (httpd: log.c log_error_core).
func (x *Exchange) Enabled(module string, level Level) bool {
	l := (*Levels)(nil)
	switch {
	case x.Local != nil && x.Local.Levels != nil:
		l = x.Local.Levels
	case x.Server != nil:
		l = x.Server.Levels
	}
	return level <= l.Of(module) || level == Notice
}

// Log writes a message to the virtual host's error log if LogLevel lets it pass. err, when it is not
// nil, is printed in front as httpd prints an errno. The message has its AH number and no client.
func (x *Exchange) Log(module string, level Level, err error, message string) {
	if x.Server == nil || x.Server.ErrorLog == nil || !x.Enabled(module, level) {
		return
	}
	x.Server.ErrorLog.Write(&LogEntry{Time: time.Now(), Module: module, Level: level, Errno: ErrnoText(err), Message: message,
		Conn: x.Conn, X: x, Server: x.Server})
}

// LogRemote is Log for a message about the connection to a member, by whose address, "ip:port", it is named (httpd:
// ap_log_cerror with an outgoing connection).
func (x *Exchange) LogRemote(module string, level Level, address, message string) {
	if x.Server == nil || x.Server.ErrorLog == nil || !x.Enabled(module, level) {
		return
	}
	x.Server.ErrorLog.Write(&LogEntry{Time: time.Now(), Module: module, Level: level, Message: message, Conn: &Conn{RemoteText: address, Outgoing: true}, Server: x.Server})
}

// LogServer is Log for a message that names no client (httpd: ap_log_error with a server).
func (x *Exchange) LogServer(module string, level Level, err error, message string) {
	if x.Server == nil || x.Server.ErrorLog == nil || !x.Enabled(module, level) {
		return
	}
	x.Server.ErrorLog.Write(&LogEntry{Time: time.Now(), Module: module, Level: level, Errno: ErrnoText(err), Message: message, Server: x.Server})
}
