package sys

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// connected connects a socket and waits for that.
func connected(t *testing.T, to *Address) (uintptr, syscall.Errno) {
	t.Helper()
	fd, e := Socket(to)
	if e != 0 {
		t.Skip(e)
	}
	t.Cleanup(func() { Close(fd) })
	e = Connect(fd, to)
	for end := time.Now().Add(10 * time.Second); e == syscall.EINPROGRESS; time.Sleep(time.Millisecond) {
		if e = Connected(fd); time.Now().After(end) {
			t.Fatal("it is never connected")
		}
	}
	return fd, e
}

// TestConnect: connections to addresses of each kind come from where they should, and lead where they should.
func TestConnect(t *testing.T) {
	for _, c := range []struct{ network, at string }{{"tcp", "127.0.0.1:0"}, {"tcp", "[::1]:0"},
		{"unix", filepath.Join(t.TempDir(), "s")}, {"unix", "@balancerd-" + t.Name()}} {
		t.Run(c.at, func(t *testing.T) {
			l, err := net.Listen(c.network, c.at)
			if err != nil {
				t.Skip(err)
			}
			defer l.Close()
			to, ok := UnixAddress(c.at)
			if c.network == "tcp" {
				to, ok = TCPAddress(l.Addr().(*net.TCPAddr).AddrPort()), true
			}
			fd, e := connected(t, &to)
			if !ok || e != 0 {
				t.Fatal(ok, e)
			}
			DelayAck(fd)
			if n, e := Write(fd, []byte("hello")); n != 5 || e != 0 {
				t.Fatal(n, e)
			}
			nc, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			var b [5]byte
			if _, err := nc.Read(b[:]); err != nil || string(b[:]) != "hello" {
				t.Error(err, string(b[:]))
			}
			if c.network == "tcp" && Local(fd).String() != nc.RemoteAddr().String() {
				t.Errorf("from %v, the other side says %v", Local(fd), nc.RemoteAddr())
			}
		})
	}
}

// TestConnectFails: what the system says of places where nobody is, and of a socket that takes no more.
func TestConnectFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := TCPAddress(l.Addr().(*net.TCPAddr).AddrPort())
	l.Close()
	if _, e := connected(t, &gone); e != syscall.ECONNREFUSED {
		t.Errorf("a port that nobody listens at: %v", e)
	}
	none, _ := UnixAddress(filepath.Join(t.TempDir(), "none"))
	if _, e := connected(t, &none); e != syscall.ENOENT {
		t.Errorf("no socket: %v", e)
	}
	if _, ok := UnixAddress(strings.Repeat("x", 108)); ok {
		t.Error("a path of 108 bytes leaves no room for its end")
	}
	path := filepath.Join(t.TempDir(), "full")
	n, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(n)
	if err := syscall.Bind(n, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	syscall.Listen(n, 0)
	full, _ := UnixAddress(path)
	if _, e := connected(t, &full); e != 0 {
		t.Fatal(e)
	}
	if _, e := connected(t, &full); e != syscall.EAGAIN {
		t.Errorf("a socket whose queue is full: %v", e)
	}
}

// TestBind: a socket has the address that it was given.
func TestBind(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	to := TCPAddress(l.Addr().(*net.TCPAddr).AddrPort())
	fd, e := Socket(&to)
	if e != 0 {
		t.Fatal(e)
	}
	defer Close(fd)
	from := TCPAddress(netip.MustParseAddrPort("127.0.0.77:0"))
	if e := Bind(fd, &from); e != 0 {
		t.Fatal(e)
	}
	Connect(fd, &to)
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	at := nc.RemoteAddr().(*net.TCPAddr).AddrPort()
	if at.Addr().String() != "127.0.0.77" {
		t.Error(at)
	}
	if !Ephemeral(at.Port()) {
		t.Errorf("the system chose port %d, which it may not choose", at.Port())
	}
}
