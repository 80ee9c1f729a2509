package status

import (
	"strconv"
	"strings"
	"time"

	"balancerd/manager/apr"
	"balancerd/proxy/snapshot"
)

// appendConnections is what each worker does: a table, or with ?notable lines. The rows are written by hand: there may
// be as many as there are connections.
func (v *view) appendConnections(b []byte) []byte {
	if !v.Extended {
		return append(b, "<hr />What each worker does is shown with <code>ExtendedStatus On</code>.\n"...)
	}
	begin, row, end := connectionsHead, v.appendRow, connectionsKey
	if v.NoTable {
		begin, row, end = "<hr /><h2>Server Details</h2>\n\n", v.appendLines, ""
	}
	b = append(b, begin...)
	slot := workerOf{generation: strconv.Itoa(v.Reloads), pid: strconv.Itoa(v.PID)}
	for i := range v.Clients {
		slot.number = i
		b = row(b, &slot, &v.Clients[i])
	}
	return append(b, end...)
}

// workerOf says which of httpd's workers a connection is shown as.
type workerOf struct {
	number          int
	generation, pid string
}

// appendRow is a line of the table.
func (v *view) appendRow(b []byte, w *workerOf, c *snapshot.Connection) []byte {
	b = append(strconv.AppendInt(append(b, "<tr><td><b>"...), int64(w.number), 10), '-')
	b = append(append(append(append(b, w.generation...), "</b></td><td>"...), w.pid...), "</td><td>"...)
	b = append(appendAccesses(b, c, '/'), "</td><td><b>"...)
	b = append(append(b, letters[c.State].letter), "</b>\n</td><td>0.00</td><td>"...)
	b = append(strconv.AppendInt(b, v.ago(c), 10), "</td><td>"...)
	b = append(strconv.AppendInt(b, c.Took.Milliseconds(), 10), "</td><td>"...)
	b = append(strconv.AppendInt(b, c.Busy.Milliseconds(), 10), "</td><td>"...)
	b = append(strconv.AppendFloat(b, float64(c.Sent)/kilo, 'f', 1, 64), "</td><td>"...)
	b = append(strconv.AppendFloat(b, float64(c.Sent)/mega, 'f', 2, 64), "</td><td>"...)
	b = append(strconv.AppendFloat(b, float64(c.Sent)/mega, 'f', 2, 64), "\n</td><td>"...)
	b = append(appendEscaped(b, c.Client), "</td><td>"...)
	b = append(appendEscaped(b, strings.ToLower(c.Protocol)), "</td><td nowrap>"...)
	b = append(appendHost(b, c), "</td><td nowrap>"...)
	return append(appendEscaped(b, v.line(c)), "</td></tr>\n\n"...)
}

// appendLines are the lines of ?notable.
func (v *view) appendLines(b []byte, w *workerOf, c *snapshot.Connection) []byte {
	b = append(strconv.AppendInt(append(b, "<b>Server "...), int64(w.number), 10), '-')
	b = append(append(append(append(b, w.generation...), "</b> ("...), w.pid...), "): "...)
	b = append(append(append(appendAccesses(b, c, '|'), " [<b>"...), letters[c.State].word...), "</b>] u0 s0 cu0 cs0\n "...)
	b = append(strconv.AppendInt(b, v.ago(c), 10), ' ')
	b = append(strconv.AppendInt(b, c.Took.Milliseconds(), 10), ' ')
	b = append(strconv.AppendInt(b, c.Busy.Milliseconds(), 10), '(')
	sent := bytesText(c.Sent) // of the connection, its process and its slot
	b = append(append(append(b, sent...), '|'), sent...)
	b = append(append(append(b, '|'), sent...), ")\n <i>"...)
	b = append(appendEscaped(b, c.Client), " {"...)
	b = append(appendEscaped(b, v.line(c)), "}</i> <i>("...)
	b = append(appendEscaped(b, strings.ToLower(c.Protocol)), ")</i> <b>["...)
	return append(appendHost(b, c), "]</b><br />\n\n"...)
}

// appendAccesses are the requests of the connection, its process and its slot, which are one here.
func appendAccesses(b []byte, c *snapshot.Connection, between byte) []byte {
	b = append(strconv.AppendInt(b, int64(c.Requests), 10), between)
	b = append(strconv.AppendInt(b, int64(c.Requests), 10), between)
	return strconv.AppendInt(b, int64(c.Requests), 10)
}

// ago is the whole seconds since the connection's request began.
func (v *view) ago(c *snapshot.Connection) int64 {
	if c.Since.IsZero() {
		return 0
	}
	return int64(v.Now.Sub(c.Since) / time.Second)
}

// appendHost is the virtual host with the port that the client reached, whatever ServerName says (httpd: scoreboard.c
// update_child_status_internal).
func appendHost(b []byte, c *snapshot.Connection) []byte {
	if c.Server == nil {
		return b
	}
	return strconv.AppendInt(append(appendEscaped(b, c.Server.Name), ':'), int64(c.Port), 10)
}

const requestLine = 63 // letters of a request line that the scoreboard keeps

// line is the request line: its beginning, or its end with SeeRequestTail.
func (v *view) line(c *snapshot.Connection) string {
	line := oneLine(c.Line)
	switch {
	case len(line) <= requestLine:
		return line
	case v.Tail:
		return line[len(line)-requestLine:]
	}
	return line[:requestLine]
}

// appendBalancer is a balancer with its members (httpd: mod_proxy.c proxy_status_hook).
func appendBalancer(b []byte, lb *snapshot.Balancer) []byte {
	s := lb.Settings
	b = append(appendEscaped(append(b, "<hr />\n<h1>Proxy LoadBalancer Status for "...), lb.Name), balancerHead...)
	b = append(appendEscaped(b, stickyText(s.Sticky.Cookie, s.Sticky.Path)), "</td><td>"...)
	b = append(strconv.AppendFloat(b, s.Timeout.Seconds(), 'f', 0, 64), "</td><td>"...)
	b = append(appendEscaped(b, s.Method.V), membersHead...)
	for i := range lb.Members {
		b = appendMember(b, &lb.Members[i])
	}
	return append(b, "</table>\n"...)
}

// stickyText is the names of the cookie and of the path's parameter; " - " for none.
func stickyText(cookie, path string) string {
	switch cookie {
	case "":
		return " - "
	case path:
		return cookie
	}
	return cookie + " | " + path
}

func appendMember(b []byte, m *snapshot.Member) []byte {
	const next = "</td><td>"
	b = append(appendEscaped(append(b, "<tr>\n<td>"...), m.Address.Scheme), next...)
	b = append(appendEscaped(b, m.Address.Host), next...)
	b = append(appendEscaped(b, m.Status.String()), next...)
	b = append(appendEscaped(b, m.Settings.Route), next...)
	b = append(appendEscaped(b, m.Settings.Redirect), next...)
	b = append(strconv.AppendFloat(b, float64(m.Settings.LoadFactor)/100, 'f', 2, 64), next...)
	b = append(strconv.AppendInt(b, int64(m.Settings.LBSet), 10), next...)
	b = append(strconv.AppendUint(b, m.Elected, 10), next...)
	b = append(strconv.AppendInt(b, m.Busy, 10), next...)
	b = append(apr.AppendSize(b, m.Sent), next...)
	return append(apr.AppendSize(b, m.Read), "</td>\n</tr>\n"...)
}

// appendEscaped is a text as HTML shows it.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '&':
			b = append(b, "&amp;"...)
		case '"':
			b = append(b, "&#34;"...)
		case '\'':
			b = append(b, "&#39;"...)
		case '+':
			b = append(b, "&#43;"...)
		case 0:
			b = append(b, "\uFFFD"...)
		default:
			b = append(b, c)
		}
	}
	return b
}
