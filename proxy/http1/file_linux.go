package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// fileConn is a connected socket as crypto/tls wants it. net.FileConn would do, at the price of a dozen
// system calls. Deadlines are the file's.
type fileConn struct {
	*os.File
	local, remote net.Addr
}

var _ net.Conn = (*fileConn)(nil)

// LocalAddr is our end.
func (c *fileConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the client's.
func (c *fileConn) RemoteAddr() net.Addr { return c.remote }

// Read reads what is there. A deadline's end is a net.Error, after which crypto/tls may be asked again.
func (c *fileConn) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	return n, plainError(err)
}

// Write writes all.
func (c *fileConn) Write(p []byte) (int, error) {
	n, err := c.File.Write(p)
	return n, plainError(err)
}

// ReadFrom hides the file's, which tries what sockets can't.
func (c *fileConn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{c}, r) }

// CloseWrite ends our direction.
func (c *fileConn) CloseWrite() error {
	rc, err := c.File.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	if err := rc.Control(func(fd uintptr) { fault = syscall.Shutdown(int(fd), syscall.SHUT_WR) }); err != nil {
		return err
	}
	return os.NewSyscallError("shutdown", fault)
}

// plainError takes the file's name off.
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
