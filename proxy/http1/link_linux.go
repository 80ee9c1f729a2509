package http1

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/socket"
)

// system is what calls of our own need.
type system struct {
	two [2][]byte
	vec socket.Vec
}

// register has the poller know the descriptor. Most short connections never need it.
func (l *link) register() error {
	if l.file != nil || !l.raw {
		return nil
	}
	l.file = os.NewFile(l.fd, "client")
	return l.io.Open(l.file)
}

// try reads what is there without waiting; EAGAIN: nothing.
func (l *link) try(p []byte) (int, syscall.Errno) { return socket.Read(l.fd, p) }

func (l *link) rawWrite(a, b []byte, timeout time.Duration) error {
	n, e := 0, syscall.Errno(0)
	if len(b) == 0 {
		n, e = socket.Write(l.fd, a)
	} else {
		l.two = [2][]byte{a, b}
		n, e = l.vec.Writev(l.fd, l.two[:])
		l.two = [2][]byte{}
	}
	switch {
	case e != 0 && e != syscall.EAGAIN:
		return os.NewSyscallError("write", e)
	case n == len(a)+len(b):
		return nil
	}
	if err := l.register(); err != nil {
		return err
	}
	k := min(n, len(a))
	return l.io.Write(a[k:], b[n-k:], timeout)
}

// silent tells whether nothing came in that was not read: closing would reset the connection.
func (l *link) silent() bool {
	if !l.raw {
		return true
	}
	n, e := socket.Peek(l.fd)
	return e == syscall.EAGAIN || n == 0
}

func (l *link) rawCloseWrite() error { return socket.CloseWrite(l.fd) }

func closeFD(fd uintptr) { socket.Close(fd) }

// reset has close send a reset.
func (l *link) reset() {
	if l.raw {
		socket.Reset(l.fd)
	}
}

// Socket is the client's socket once what was read before is gone; nil with TLS.
func (e *end) Socket() *socket.Stream {
	if !e.c.raw || len(e.early) > 0 {
		return nil
	}
	return &e.c.io
}
