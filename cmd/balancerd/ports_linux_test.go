package main

import (
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
)

// reservePort is a port that is this test's until its end: a socket is bound to it, at all addresses, that never
// listens. The system gives the port to nobody else meanwhile, and lets the server under test, which like all
// servers sets SO_REUSEADDR, listen there as often as it likes.
func reservePort(t testing.TB) int {
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

// A port that is reserved is nobody else's, and can be listened on again and again, at any address.
func TestReservedPorts(t *testing.T) {
	var ports []int
	for range 200 {
		port := reservePort(t)
		if slices.Contains(ports, port) {
			t.Fatal("reserved twice: ", port)
		}
		ports = append(ports, port)
	}
	for i := range 2000 {
		l, err := net.Listen("tcp", []string{"127.0.0.1:0", "127.0.1.1:0", ":0"}[i%3])
		if err != nil {
			t.Fatal(err)
		}
		if port := l.Addr().(*net.TCPAddr).Port; slices.Contains(ports, port) {
			t.Error("given to another one: ", port)
		}
		l.Close()
	}
	for _, at := range []string{"127.0.0.1:%d", ":%d", "[::]:%d", "127.0.0.1:%d"} {
		l, err := net.Listen("tcp", fmt.Sprintf(at, ports[0]))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
