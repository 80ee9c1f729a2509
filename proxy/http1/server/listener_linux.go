package server

import (
	"net"
	"net/netip"
	"os"
	"sync"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/sys"
)

// Listener is a listening socket that the event loops alone watch: the runtime's poller, which would
// wake a thread for each connection, doesn't know it.
type Listener struct {
	addr   netip.AddrPort // immutable
	closed chan struct{}  // closed by Close

	mu sync.Mutex
	fd uintptr // no descriptor once it is closed; under mu
}

// NewListener takes a listener's socket over; the listener itself is closed.
func NewListener(l *net.TCPListener) (*Listener, error) {
	defer l.Close()
	rc, err := l.SyscallConn()
	if err != nil {
		return nil, err
	}
	own := &Listener{addr: exchange.AddrPort(l.Addr()), closed: make(chan struct{})}
	if cerr := rc.Control(func(fd uintptr) {
		sys.Prepare(fd, true)
		own.fd, err = dup(fd)
	}); cerr != nil {
		return nil, cerr
	}
	return own, err
}

// Addr is where it listens.
func (l *Listener) Addr() netip.AddrPort { return l.addr }

// Close closes it; connections that came in live on.
func (l *Listener) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isClosed() {
		close(l.closed)
		sys.Close(l.fd)
	}
}

func (l *Listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// dups is n more descriptors of it, or as many as there can be; none when it is closed.
func (l *Listener) dups(n int) (fds []uintptr, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		if l.isClosed() {
			return fds, nil
		}
		fd, e := dup(l.fd)
		if e != nil {
			err = e
			continue
		}
		fds = append(fds, fd)
	}
	if len(fds) > 0 {
		err = nil
	}
	return fds, err
}

func dup(fd uintptr) (uintptr, error) {
	n, e := sys.Dup(fd)
	if e != 0 {
		return 0, os.NewSyscallError("dup", e)
	}
	return n, nil
}
