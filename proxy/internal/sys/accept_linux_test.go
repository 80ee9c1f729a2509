package sys

import (
	"net"
	"syscall"
	"testing"
	"time"
)

func TestAccept(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Skip(err)
		}
		f, _ := l.(*net.TCPListener).File()
		rc, _ := f.SyscallConn()
		rc.Control(func(fd uintptr) {
			Prepare(fd, false)
			if _, _, e := Accept(fd); e != syscall.EAGAIN {
				t.Errorf("%s: %v", addr, e)
			}
			host := "127.0.0.1"
			if addr == "[::1]:0" {
				host = "::1"
			}
			_, port, _ := net.SplitHostPort(l.Addr().String())
			c, err := net.Dial("tcp", net.JoinHostPort(host, port))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			time.Sleep(10 * time.Millisecond)
			conn, remote, e := Accept(fd)
			if e != 0 || remote.String() != c.LocalAddr().String() || Local(conn).String() != c.RemoteAddr().String() {
				t.Errorf("%s: %v from %v at %v, want %v and %v", addr, e, remote, Local(conn), c.LocalAddr(), c.RemoteAddr())
			}
			Close(conn)
		})
		f.Close()
		l.Close()
	}
}
