package http1

import (
	"os"
	"syscall"
	"time"

	"balancerd/proxy/internal/socket"
)

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
	if l.file == nil {
		n, e := l.writeOnce(a, b)
		if e != 0 && e != syscall.EAGAIN {
			return os.NewSyscallError("write", e)
		}
		if n == len(a)+len(b) {
			return nil
		}
		if err := l.register(); err != nil {
			return err
		}
		k := min(n, len(a))
		a, b = a[k:], b[n-k:]
	}
	return l.io.Write(a, b, timeout)
}

// writeOnce writes before the poller knows the descriptor.
func (l *link) writeOnce(a, b []byte) (int, syscall.Errno) {
	n, e := socket.Write(l.fd, a)
	if e != 0 || n < len(a) || len(b) == 0 {
		return n, e
	}
	m, e := socket.Write(l.fd, b)
	return n + m, e
}

func (l *link) rawCloseWrite() error { return socket.CloseWrite(l.fd) }

func (l *link) rawClose() { socket.Close(l.fd) }

// reset has close send a reset.
func (l *link) reset() {
	if l.raw {
		socket.Reset(l.fd)
	}
}
