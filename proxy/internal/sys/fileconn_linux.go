package sys

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// fileConn is a connected socket that the runtime's poller watches. net.FileConn would do, at the price of
// a dozen system calls and of another descriptor, of which there may be none. Deadlines are the file's.
type fileConn struct {
	*os.File
	local, remote net.Addr
}

var _ net.Conn = (*fileConn)(nil)

// NewFileConn makes a net.Conn of a connected, non-blocking socket, which it owns from then on. It needs no
// further descriptor and does not fail.
func NewFileConn(fd uintptr, local, remote net.Addr) net.Conn {
	return &fileConn{File: os.NewFile(fd, "connection"), local: local, remote: remote}
}

// LocalAddr is our end.
func (c *fileConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other one.
func (c *fileConn) RemoteAddr() net.Addr { return c.remote }

// Read waits for bytes. The error of a deadline is a net.Error that says Timeout, so that crypto/tls can be
// read again.
func (c *fileConn) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	return n, plainError(err)
}

// Write writes all.
func (c *fileConn) Write(p []byte) (int, error) {
	n, err := c.File.Write(p)
	return n, plainError(err)
}

// ReadFrom hides os.File's, which tries copy_file_range and splice from files.
func (c *fileConn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{c}, r) }

// CloseWrite ends our direction.
func (c *fileConn) CloseWrite() error { return c.shutdown(syscall.SHUT_WR) }

// CloseRead ends the other one.
func (c *fileConn) CloseRead() error { return c.shutdown(syscall.SHUT_RD) }

// SetLinger is net.TCPConn's.
func (c *fileConn) SetLinger(seconds int) error {
	l := syscall.Linger{Linger: int32(max(seconds, 0))}
	if seconds >= 0 {
		l.Onoff = 1
	}
	return c.control("setsockopt", func(fd int) error { return syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &l) })
}

func (c *fileConn) shutdown(how int) error {
	return c.control("shutdown", func(fd int) error { return syscall.Shutdown(fd, how) })
}

// control has a system call be made on the socket; name is the call's, for its error.
func (c *fileConn) control(name string, call func(fd int) error) error {
	rc, err := c.File.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	if err := rc.Control(func(fd uintptr) { fault = call(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError(name, fault)
}

// plainError is an error of os.File without the file's name.
func plainError(err error) error {
	var named *os.PathError
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case errors.As(err, &named):
		return os.NewSyscallError(named.Op, named.Err)
	}
	return err
}
