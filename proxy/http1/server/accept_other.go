//go:build !linux

package server

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"balancerd/proxy/exchange"
)

// engine is nothing here.
type engine struct{}

func (s *Server) settle() {}

// Processors is how many goroutines should run at a time on n processors.
func Processors(n int) int { return n }

// Accept serves the connections that come in on a plain TCP listener until that is closed; then it
// returns nil. Each connection has a goroutine of its own.
func (s *Server) Accept(l *Listener) error {
	for {
		nc, err := l.l.Accept()
		switch {
		case err == nil:
			local, remote := exchange.AddrPort(nc.LocalAddr()), exchange.AddrPort(nc.RemoteAddr())
			go s.serve(nc, s.shake(local), s.announces(local, remote))
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			s.log(exchange.Error, err, "AH00455: apr_socket_accept: (client socket)")
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// serve serves a connection, after a handshake if it is to be secure.
func (s *Server) serve(nc net.Conn, shake TLSHandshake, announces bool) {
	defer s.guardAccept(nc)
	if shake == nil {
		s.serveConn(nc, nil, func(c *conn) { c.announces = announces })
		return
	}
	var client *exchange.Announced
	if announces {
		var ok bool
		if client, ok = s.readProxyHeader(nc, exchange.AddrPort(nc.LocalAddr()), exchange.AddrPort(nc.RemoteAddr())); !ok {
			return
		}
	}
	c, state, err := shake(nc)
	if err != nil {
		nc.Close()
		return
	}
	s.serveConn(c, state, func(c *conn) { c.info.Announced = client })
}

// Listener is a listening socket.
type Listener struct{ l *net.TCPListener }

// NewListener takes a listener over.
func NewListener(l *net.TCPListener) (*Listener, error) { return &Listener{l}, nil }

// Addr is where it listens.
func (l *Listener) Addr() netip.AddrPort { return exchange.AddrPort(l.l.Addr()) }

// Close closes it; connections that came in live on.
func (l *Listener) Close() { l.l.Close() }
