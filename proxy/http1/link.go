package http1

import (
	"net"
	"time"

	"balancerd/proxy/internal/socket"
)

// link is the client's end of a connection: a socket of an event loop's, or a net.Conn (TLS, other
// systems than Linux). Owned by who serves it.
type link struct {
	nc  net.Conn // nil with raw
	raw bool
	io  socket.Stream // with raw
	system
}

// read waits for bytes. The end is io.EOF.
func (l *link) read(p []byte, timeout time.Duration) (int, error) {
	if l.raw {
		return l.io.Read(p, timeout)
	}
	l.nc.SetReadDeadline(time.Now().Add(timeout))
	return l.nc.Read(p)
}

// write writes all of a and b.
func (l *link) write(a, b []byte, timeout time.Duration) error {
	if l.raw {
		return l.rawWrite(a, b, timeout)
	}
	l.nc.SetWriteDeadline(time.Now().Add(timeout))
	for _, p := range [...][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		if _, err := l.nc.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// closeWrite ends our direction.
func (l *link) closeWrite() error {
	if l.raw {
		return l.rawCloseWrite()
	}
	if c, ok := l.nc.(interface{ CloseWrite() error }); ok {
		l.nc.SetWriteDeadline(time.Now().Add(time.Second)) // TLS says goodbye
		return c.CloseWrite()
	}
	return nil
}

// close ends the connection.
func (l *link) close() {
	if l.raw {
		l.rawClose()
		return
	}
	l.nc.Close()
}
