//go:build !linux

package ports

import (
	"net"
	"testing"
)

// Reserve is a port of 127.0.0.1 that was free a moment ago: there is no way to keep it for a server that is
// yet to start.
func Reserve(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
