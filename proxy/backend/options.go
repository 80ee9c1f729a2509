package backend

import "syscall"

// receiveBuffer sets SO_RCVBUF on a socket that is not connected yet.
func receiveBuffer(n int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, rc syscall.RawConn) error {
		return rc.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, n) })
	}
}
