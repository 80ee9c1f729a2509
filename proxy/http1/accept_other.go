//go:build !linux

package http1

import (
	"errors"
	"net"
	"time"

	"balancerd/proxy/exchange"
)

// engine is nothing here.
type engine struct{}

func (s *Server) settle() {}

// Accept serves the connections that come in on a plain TCP listener until that is closed; then it
// returns nil. Each connection has a goroutine of its own.
func (s *Server) Accept(l *net.TCPListener) error {
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			go s.ServeConn(nc, nil)
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			s.log(exchange.Error, err, "AH00455: apr_socket_accept: (client socket)")
			time.Sleep(100 * time.Millisecond)
		}
	}
}
