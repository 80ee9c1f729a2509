package sink

import (
	"bytes"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// facilities are the numbers of RFC 3164 section 4.1.1, in the order in which httpd looks for a
// name that may be cut short (httpd: log.c facilities).
var facilities = []struct {
	name   string
	number int
}{
	{"auth", 4}, {"authpriv", 10}, {"cron", 9}, {"daemon", 3}, {"ftp", 11}, {"kern", 0}, {"lpr", 6}, {"mail", 2},
	{"news", 7}, {"syslog", 5}, {"user", 1}, {"uucp", 8}, {"local0", 16}, {"local1", 17}, {"local2", 18},
	{"local3", 19}, {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23},
}

const local7 = 23

// IsSyslog reports whether an ErrorLog names the system's log.
func IsSyslog(name string) bool { return name == "syslog" || strings.HasPrefix(name, "syslog:") }

func parseSyslog(name, program string) (facility int, tag string, ok bool) {
	_, rest, named := strings.Cut(name, ":")
	word, tag, _ := strings.Cut(rest, ":")
	if tag == "" {
		tag = program
	}
	if !named || word == "" {
		return local7, tag, true
	}
	for _, f := range facilities {
		if strings.HasPrefix(f.name, strings.ToLower(word)) {
			return f.number, tag, true
		}
	}
	return 0, "", false
}

// syslog is the local daemon's socket, one datagram a line. Without a daemon lines are lost
// silently, as the C library does.
type syslog struct {
	facility int
	tag      string
	conn     net.Conn // owned by the flusher
}

var sockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// AppendAs is Append for the system's log, with the line's severity: 0 emerg to 7 debug.
func (l *Log) AppendAs(severity int, line []byte) {
	if s, ok := l.to.(*syslog); ok {
		var storage [96]byte
		l.append(s.head(storage[:0], min(severity, 7), time.Now()), line)
		return
	}
	l.Append(line)
}

// head is "<pri>Mmm dd hh:mm:ss tag[pid]: " (RFC 3164 section 4.1).
func (s *syslog) head(b []byte, severity int, now time.Time) []byte {
	b = strconv.AppendInt(append(b, '<'), int64(s.facility<<3|severity), 10)
	b = now.AppendFormat(append(b, '>'), time.Stamp)
	b = append(append(append(b, ' '), s.tag...), '[')
	return append(strconv.AppendInt(b, int64(os.Getpid()), 10), "]: "...)
}

func (s *syslog) write(lines []byte) error {
	for line := range bytes.Lines(lines) {
		s.send(bytes.TrimSuffix(line, []byte("\n")))
	}
	return nil
}

// send tries twice: the daemon may have been started anew since the last line.
func (s *syslog) send(line []byte) {
	for range 2 {
		if s.conn == nil && s.dial() != nil {
			return
		}
		s.conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := s.conn.Write(line); err == nil {
			return
		}
		s.conn.Close()
		s.conn = nil
	}
}

func (s *syslog) dial() error {
	var all []error
	for _, path := range sockets {
		c, err := net.Dial("unixgram", path)
		if err == nil {
			s.conn = c
			return nil
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (s *syslog) close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

func (s *syslog) abort() {}
