package errorlog

import (
	"strconv"

	"balancerd/proxy/exchange"
	"balancerd/proxy/log/sink"
)

const stamp = "Mon Jan 02 15:04:05.000000 2006"

// appendDefault is the line without ErrorLogFormat (httpd: log.c do_errorlog_default).
func (e *entry) appendDefault(b []byte) []byte {
	if e.log.to == nil || !e.log.to.Syslog() {
		b = append(e.Time.AppendFormat(append(b, '['), stamp), "] "...)
	}
	b = append(append(append(append(b, '['), e.Module...), ':'), e.Level.String()...)
	b = strconv.AppendInt(append(b, "] [pid "...), int64(e.log.pid), 10)
	b = strconv.AppendInt(append(b, ":tid "...), int64(sink.ThreadID()), 10)
	b = append(b, "] "...)
	if e.Level >= exchange.Debug && e.File != "" {
		b = append(append(b, e.File...), ": "...)
	}
	if e.Errno != "" {
		b = append(append(b, e.Errno...), ": "...)
	}
	if c := e.conn(); c != nil {
		who := "[client "
		if c.Outgoing {
			who = "[remote "
		}
		b = append(e.appendClient(append(b, who...), c), "] "...)
	}
	b = escape(b, e.Message)
	if r := referer(e.X); r != "" {
		b = escape(append(b, ", referer: "...), r)
	}
	return b
}

// appendClient is the client's "ip:port": as remoteip sees it for a request, else the peer's.
func (e *entry) appendClient(b []byte, c *exchange.Conn) []byte {
	if e.X != nil && e.X.ClientIP != "" && (e.X.ClientIP != c.RemoteIP || e.X.ClientPort() != c.Remote.Port()) {
		b = append(append(b, e.X.ClientIP...), ':')
		return strconv.AppendInt(b, int64(e.X.ClientPort()), 10)
	}
	return append(b, c.RemoteText...)
}

func referer(x *exchange.Exchange) string {
	if x == nil {
		return ""
	}
	return x.Req.Header.Get("Referer")
}

const hex = "0123456789abcdef"

// short are the control characters that have a letter of their own.
var short = [256]byte{'\b': 'b', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\\': '\\'}

// escape appends s with everything that is not a printable ASCII character, and the backslash,
// written as C would; a quote stays (httpd: util.c ap_escape_errorlog_item).
func escape(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case short[c] != 0:
			b = append(b, '\\', short[c])
		case c < 0x20 || c >= 0x7f:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
