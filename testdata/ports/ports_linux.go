// Package ports has ports for tests whose server must be told a number before it starts.
package ports

import (
	"syscall"
	"testing"
)

// Reserve is a port that is this test's until its end: a socket is bound to it, at all addresses, that never
// listens. The system gives the port to nobody else meanwhile, and lets the server under test, which like all
// servers sets SO_REUSEADDR, listen there as often as it likes.
func Reserve(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	any := syscall.Sockaddr(&syscall.SockaddrInet6{})
	if err != nil { // a machine without IPv6
		fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		any = &syscall.SockaddrInet4{}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, any); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if v6, ok := at.(*syscall.SockaddrInet6); ok {
		return v6.Port
	}
	return at.(*syscall.SockaddrInet4).Port
}
