package errorlog

import (
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/log/sink"
)

// letters are the directives of ErrorLogFormat but %M; each appends nothing when it has nothing to
// say (httpd: log.c ap_register_log_hooks).
var letters = [256]func(b []byte, e *entry, arg string) []byte{
	'a': addClient, 'A': addLocal, 'e': addEnv, 'E': addErrno, 'F': addFile, 'i': addHeader, 'k': addKept, 'l': addLevel,
	'L': addID, 'm': addModule, 'n': addNote, 'P': addPid, 't': addTime, 'T': addTid, 'v': addServer, 'V': addName,
}

func constant(b []byte, _ *entry, arg string) []byte { return append(b, arg...) }

func addClient(b []byte, e *entry, arg string) []byte {
	c := e.conn()
	switch {
	case c == nil:
		return b
	case strings.HasPrefix(arg, "c"):
		return append(b, c.RemoteText...)
	}
	return e.appendClient(b, c)
}

func addLocal(b []byte, e *entry, _ string) []byte {
	c := e.conn()
	if c == nil {
		return b
	}
	b = c.Local.Addr().Unmap().AppendTo(b)
	return strconv.AppendInt(append(b, ':'), int64(c.Local.Port()), 10)
}

func addEnv(b []byte, e *entry, name string) []byte {
	if e.X == nil {
		return b
	}
	return escape(b, e.X.Env.Value(name))
}

func addNote(b []byte, e *entry, name string) []byte {
	if e.X == nil {
		return b
	}
	return escape(b, e.X.Notes.Value(name))
}

func addHeader(b []byte, e *entry, name string) []byte {
	if e.X == nil {
		return b
	}
	return escape(b, e.X.Req.Header.Get(name))
}

func addErrno(b []byte, e *entry, _ string) []byte { return append(b, e.Errno...) }

func addFile(b []byte, e *entry, _ string) []byte { return append(b, e.File...) }

func addModule(b []byte, e *entry, _ string) []byte {
	if e.Level < 0 {
		return append(b, '-')
	}
	return append(b, e.Module...)
}

func addLevel(b []byte, e *entry, _ string) []byte {
	if e.Level < 0 {
		return b
	}
	return append(b, e.Level.String()...)
}

func addKept(b []byte, e *entry, _ string) []byte {
	c := e.conn()
	if c == nil {
		return b
	}
	return strconv.AppendInt(b, int64(c.Kept), 10)
}

// addID: "C" is the connection's id unless the line concerns a request, "c" always, else the
// request's.
func addID(b []byte, e *entry, arg string) []byte {
	if c := e.conn(); strings.EqualFold(arg, "c") {
		if c != nil && (arg != "C" || e.X == nil) {
			b = append(b, sink.ID(time.Time{}, c.ID)...)
		}
		return b
	}
	if e.X == nil {
		return b
	}
	return append(b, e.X.LogID...)
}

func addPid(b []byte, e *entry, _ string) []byte { return strconv.AppendInt(b, int64(e.log.pid), 10) }

func addTid(b []byte, _ *entry, _ string) []byte {
	return strconv.AppendInt(b, int64(sink.ThreadID()), 10)
}

func addServer(b []byte, e *entry, _ string) []byte {
	if e.Server == nil {
		return b
	}
	return append(b, e.Server.Name...)
}

func addName(b []byte, e *entry, _ string) []byte {
	if e.X == nil || e.X.Server == nil {
		return b
	}
	return append(b, e.X.ServerName()...)
}

// addTime: letters of {cuz} choose microseconds, the compact ISO form and the zone; an argument with
// a percent sign is strftime's (httpd: log.c log_ctime, util_time.c ap_recent_ctime_ex).
func addTime(b []byte, e *entry, arg string) []byte {
	if strings.Contains(arg, "%") {
		return sink.Strftime(b, arg, e.Time)
	}
	layout := "Mon Jan 02 15:04:05"
	compact := strings.Contains(arg, "c")
	if compact {
		layout = "2006-01-02 15:04:05"
	}
	if strings.Contains(arg, "u") {
		layout += ".000000"
	}
	if !compact {
		layout += " 2006"
	}
	if strings.Contains(arg, "z") {
		layout += " -0700"
	}
	return e.Time.AppendFormat(b, layout)
}
