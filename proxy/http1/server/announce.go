package server

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// announced is the client that a PROXY header names; the peer, when it names none.
func announced(h wire.ProxyHeader, info *exchange.Conn) *exchange.Announced {
	if !h.Client.IsValid() {
		return &exchange.Announced{IP: info.RemoteIP, Port: info.Remote.Port()}
	}
	return &exchange.Announced{IP: h.IP, Port: h.Client.Port()}
}

// takeProxyHeader reads the PROXY header in front of a plain connection's first request. false: it is not whole, or
// none.
func (c *conn) takeProxyHeader() bool {
	h, n, err := wire.ParseProxyHeader(c.k.have())
	switch {
	case err == wire.ErrIncomplete:
		return false
	case err != nil:
		c.over = true
		tellProxyHeader(&c.info, c.s.app.Default(c.info.Local), err)
		return false
	}
	a := announced(h, &c.info)
	tellAnnounced(&c.info, c.s.app.Default(c.info.Local), a)
	c.k.r += n
	c.announces = false
	c.info.Announced = a
	return c.k.r < c.k.w
}

// endWithoutProxyHeader is the end of a connection that has not brought its PROXY header.
func (c *conn) endWithoutProxyHeader(err error) {
	c.over = true
	if !timedOut(err) {
		err = io.EOF
	}
	tellProxyHeader(&c.info, c.s.app.Default(c.info.Local), err)
}

// tellProxyHeader logs why a connection is closed: nothing of one that was silent for too long.
func tellProxyHeader(info *exchange.Conn, server *exchange.Server, err error) {
	tellExpected(info, server)
	e := exchange.LogEntry{Level: exchange.Error}
	var bad *wire.ProxyHeaderError
	switch {
	case timedOut(err):
	case errors.As(err, &bad):
		e.Message = bad.Message
	case err == io.EOF:
		e.Level, e.Errno, e.Message = exchange.Info, exchange.ErrnoText(err), "AH10634: RemoteIPProxyProtocol: connection closed before a complete header was received"
	default:
		e.Errno, e.Message = exchange.ErrnoText(err), "AH10184: failed reading input"
	}
	logProxyHeader(info, server, &e)
}

// tellExpected notes that a connection must begin with a PROXY header.
func tellExpected(info *exchange.Conn, server *exchange.Server) {
	if tellsProxyHeaders(server, exchange.Debug) {
		logProxyHeader(info, server, &exchange.LogEntry{Level: exchange.Debug,
			Message: fmt.Sprintf("AH03503: RemoteIPProxyProtocol: enabled on connection to %s:%d", info.Local.Addr().Unmap(), info.Local.Port())})
	}
}

// tellAnnounced notes that it has, and whose it is.
func tellAnnounced(info *exchange.Conn, server *exchange.Server, a *exchange.Announced) {
	if tellsProxyHeaders(server, exchange.Debug) {
		tellExpected(info, server)
		logProxyHeader(info, server, &exchange.LogEntry{Level: exchange.Debug, Message: fmt.Sprintf("AH03511: RemoteIPProxyProtocol: received valid PROXY header: %s:%d", a.IP, a.Port)})
	}
}

func tellsProxyHeaders(server *exchange.Server, level exchange.Level) bool {
	return server.ErrorLog != nil && level <= server.Levels.Of("remoteip")
}

// logProxyHeader writes a line of a connection, unless it says nothing.
func logProxyHeader(info *exchange.Conn, server *exchange.Server, e *exchange.LogEntry) {
	if e.Message == "" || !tellsProxyHeaders(server, e.Level) {
		return
	}
	e.Time, e.Module, e.Conn, e.Server = time.Now(), "remoteip", info, server
	server.ErrorLog.Write(e)
}

// deadlineReader is a connection before TLS.
type deadlineReader interface {
	io.ReadCloser
	SetReadDeadline(time.Time) error
}

// readProxyHeader reads the PROXY header in front of TLS, and nothing behind it. Without one the connection is closed,
// and ok is false.
func (s *Server) readProxyHeader(nc deadlineReader, local, remote netip.AddrPort) (a *exchange.Announced, ok bool) {
	text := remote.String()
	info := &exchange.Conn{Remote: remote, Local: local, RemoteText: text, RemoteIP: ipOf(text)}
	server := s.app.Default(local)
	nc.SetReadDeadline(time.Now().Add(server.IOTimeout()))
	var b []byte
	for {
		h, _, err := wire.ParseProxyHeader(b)
		if err == nil {
			nc.SetReadDeadline(time.Time{})
			a = announced(h, info)
			tellAnnounced(info, server, a)
			return a, true
		}
		if err == wire.ErrIncomplete {
			b, err = readMore(nc, b, wire.ProxyHeaderWants(b))
		}
		if err != nil {
			nc.Close()
			tellProxyHeader(info, server, err)
			return nil, false
		}
	}
}

// readMore appends up to n bytes.
func readMore(r io.Reader, b []byte, n int) ([]byte, error) {
	at := len(b)
	b = append(b, make([]byte, n)...)
	n, err := r.Read(b[at:])
	if n > 0 {
		err = nil
	}
	return b[:at+n], err
}
