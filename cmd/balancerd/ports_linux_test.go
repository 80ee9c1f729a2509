package main

import (
	"fmt"
	"net"
	"slices"
	"testing"

	"balancerd/testdata/ports"
)

// A port that is reserved is nobody else's, and can be listened on again and again, at any address.
func TestReservedPorts(t *testing.T) {
	var list []int
	for range 200 {
		port := ports.Reserve(t)
		if slices.Contains(list, port) {
			t.Fatal("reserved twice: ", port)
		}
		list = append(list, port)
	}
	for i := range 2000 {
		l, err := net.Listen("tcp", []string{"127.0.0.1:0", "127.0.1.1:0", ":0"}[i%3])
		if err != nil {
			t.Fatal(err)
		}
		if port := l.Addr().(*net.TCPAddr).Port; slices.Contains(list, port) {
			t.Error("given to another one: ", port)
		}
		l.Close()
	}
	for _, at := range []string{"127.0.0.1:%d", ":%d", "[::]:%d", "127.0.0.1:%d"} {
		l, err := net.Listen("tcp", fmt.Sprintf(at, list[0]))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
