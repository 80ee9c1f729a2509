package ssl

import (
	"net"
	"time"

	"balancerd/proxy/exchange"
)

// limited is a client's connection whose handshake must be over in time, which its bytes may put off
// (RequestReadTimeout handshake=; httpd: mod_reqtimeout.c). After that it is as the connection below.
type limited struct {
	net.Conn
	by, most time.Time // most is zero without a bound
	perByte  time.Duration
	over     bool
}

// limit bounds a handshake that begins now: by stage, and by longest, of which 0 is for ever. What it returns is
// nc itself where no byte puts the end off.
func limit(nc net.Conn, longest time.Duration, stage exchange.ReadLimit) net.Conn {
	now := time.Now()
	var most time.Time
	if longest > 0 {
		most = now.Add(longest)
	}
	if stage.Timeout <= 0 {
		nc.SetDeadline(most)
		return nc
	}
	by := earlier(now.Add(stage.Timeout), most)
	nc.SetDeadline(by)
	if stage.Rate <= 0 {
		return nc
	}
	if stage.Max > 0 {
		most = earlier(now.Add(stage.Max), most)
	}
	return &limited{Conn: nc, by: by, most: most, perByte: time.Second / time.Duration(stage.Rate)}
}

// earlier is the earlier of a time and another one, of which the zero value is never.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// Read puts the end of the handshake off by what came.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if n > 0 && !l.over {
		l.by = earlier(l.by.Add(time.Duration(n)*l.perByte), l.most)
		l.Conn.SetDeadline(l.by)
	}
	return n, err
}

// unlimit ends the bound.
func unlimit(nc net.Conn) {
	nc.SetDeadline(time.Time{})
	if l, ok := nc.(*limited); ok {
		l.over = true
	}
}
