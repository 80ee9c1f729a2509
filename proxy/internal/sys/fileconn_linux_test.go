package sys

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// A fileConn that lingers for no time is closed by a reset, as a net.TCPConn is.
func TestFileConnLingers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for seconds, want := range map[int]error{0: syscall.ECONNRESET, -1: nil} {
		to := l.Addr().(*net.TCPAddr)
		at := TCPAddress(to.AddrPort())
		fd, e := Socket(&at)
		if e != 0 {
			t.Fatal(e)
		}
		if e := Connect(fd, &at); e != 0 && e != syscall.EINPROGRESS {
			t.Fatal(e)
		}
		peer, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := NewFileConn(fd, to, to).(interface {
			net.Conn
			SetLinger(seconds int) error
		})
		if err := c.SetLinger(seconds); err != nil {
			t.Error(err)
		}
		c.Close()
		if _, err := peer.Read(make([]byte, 1)); want != nil && !errors.Is(err, want) || want == nil && errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%d seconds: %v", seconds, err)
		}
		peer.Close()
	}
}
