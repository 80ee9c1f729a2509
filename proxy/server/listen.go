package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// ListenError is why no socket could be opened, in the words of httpd's start.
type ListenError struct {
	Message string
	Err     error         // the operating system's; nil for none
	At      site.Listener // the line
}

func (e *ListenError) Error() string { return e.Message }

// Unwrap is the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// NoSockets ends what is said when nothing can be served.
const NoSockets = "no listening sockets available, shutting down"

// Listen opens one Listen line's socket (httpd: listen.c make_sock). A bare port is both families on one
// socket, or IPv4 alone where there is no IPv6. The error is a *ListenError.
func Listen(ctx context.Context, at site.Listener, s *site.Settings) (*net.TCPListener, error) {
	var lc net.ListenConfig
	lc.KeepAlive = -1 // the engine sets what connections need
	lc.Control = func(_, _ string, c syscall.RawConn) error { return control(c, s) }
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(ctx, "tcp", at.Address)
	if port, any := strings.CutPrefix(at.Address, "[::]:"); any && noIPv6(err) {
		l, err = lc.Listen(ctx, "tcp4", "0.0.0.0:"+port)
	}
	if err != nil {
		return nil, &ListenError{fmt.Sprintf("%s: AH00072: make_sock: could not bind to address %s\n%s", exchange.ErrnoText(err), at.Address, NoSockets), err, at}
	}
	t := l.(*net.TCPListener)
	if err := backlog(t, s.Backlog); err != nil {
		t.Close()
		return nil, unable(at, err)
	}
	return t, nil
}

// unable is the error of a socket that is bound and can't be listened on.
func unable(at site.Listener, err error) error {
	return &ListenError{fmt.Sprintf("%s: AH00073: make_sock: unable to listen for connections on address %s\n%s", exchange.ErrnoText(err), at.Address, NoSockets), err, at}
}

func noIPv6(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

// control sets what must be set before a socket is bound; accepted connections inherit the buffers.
func control(c syscall.RawConn, s *site.Settings) error {
	var err error
	set := func(fd uintptr, option, value int) {
		if value != 0 && err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, value)
		}
	}
	return errors.Join(c.Control(func(fd uintptr) {
		set(fd, syscall.SO_REUSEADDR, 1)
		set(fd, syscall.SO_SNDBUF, s.SendBuffer)
		set(fd, syscall.SO_RCVBUF, s.ReceiveBuffer)
	}), err)
}

// backlog says again how many connections may wait: the net package listens with the system's
// largest number.
func backlog(l *net.TCPListener, n int) error {
	c, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var lerr error
	err = c.Control(func(fd uintptr) { lerr = syscall.Listen(int(fd), n) })
	return errors.Join(err, lerr)
}

// Port is the port of "host:port"; 0 when there is none.
func Port(address string) int {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(text)
	return n
}
