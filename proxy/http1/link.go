package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"balancerd/proxy/internal/socket"
)

// link is the client's end of a connection: a socket of our own that the poller may not know yet, or
// a net.Conn (TLS, other systems than Linux). Owned by the goroutine that serves it.
type link struct {
	nc   net.Conn // nil with raw
	raw  bool
	fd   uintptr       // with raw
	file *os.File      // with raw, once the poller knows the descriptor
	io   socket.Stream // on file
	system
	inside bool // with raw: in the poller's callback, or not known to it: reads must not wait
}

var errInside = errors.New("http1: a read that would wait inside the poller's callback")

// read waits for bytes. The end is io.EOF.
func (l *link) read(p []byte, timeout time.Duration) (int, error) {
	switch {
	case !l.raw:
		l.nc.SetReadDeadline(time.Now().Add(timeout))
		return l.nc.Read(p)
	case l.inside:
		return 0, errInside
	}
	return l.io.Read(p, timeout)
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
	if c := l.closer(); c != nil {
		c.Close()
		return
	}
	closeFD(l.fd)
}

// closer is what closes the connection; nil for a descriptor that the poller does not know.
func (l *link) closer() io.Closer {
	switch {
	case !l.raw:
		return l.nc
	case l.file != nil:
		return l.file
	}
	return nil
}
