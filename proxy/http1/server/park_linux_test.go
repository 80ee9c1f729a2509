package server

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
)

// jobFunc is a function as a loop.Job.
type jobFunc func(*loop.Task)

func (f jobFunc) Run(t *loop.Task) { f(t) }

// once has a loop do a job with the next connection to the result's address.
func once(t *testing.T, loops *loop.Group, job func(*loop.Task, *loop.Fd)) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // the descriptor is a duplicate
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	syscall.SetNonblock(fd, true)
	stop, err := loops.Listen([]uintptr{uintptr(fd)}, loop.Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (loop.Job, bool) {
			return jobFunc(func(task *loop.Task) { job(task, loops.NewFd(conn)) }), false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return l.Addr().String()
}

// nobodysApp serves nothing.
type nobodysApp struct{ App }

func (nobodysApp) Default(netip.AddrPort) *exchange.Server {
	return &exchange.Server{Timeout: 5 * time.Second, KeepAliveTimeout: 5 * time.Second}
}

// Bytes of a secure connection that come in after the last read, and before the connection is left to its
// loop, are read: nobody would tell of them again.
func TestBytesBeforeParking(t *testing.T) {
	loops, err := loop.NewGroup(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loops.Close)
	s := New(nobodysApp{}, Options{})
	waits, left, read := make(chan bool), make(chan bool), make(chan string, 1)
	client, err := net.Dial("tcp", once(t, loops, func(task *loop.Task, fd *loop.Fd) {
		base := loop.NewConn(fd, task, &net.TCPAddr{}, &net.TCPAddr{})
		c := &conn{s: s, server: nobodysApp{}.Default(netip.AddrPort{})}
		c.serveTLS(base, base, fd)
		c.task = task
		b := make([]byte, 10)
		go func() { waits <- true }()
		if n, err := base.Read(b); n != 1 || err != nil { // it waits: from now on the loop watches
			t.Error(n, err)
		}
		task.Block()
		if _, e := c.looped.try(b); e != syscall.EAGAIN {
			t.Error(e)
		}
		left <- true
		time.Sleep(100 * time.Millisecond) // the loop is told
		if c.park() {
			t.Error("it is parked over bytes")
		}
		n, _ := c.looped.try(b)
		read <- string(b[:max(n, 0)])
		base.Close()
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	<-waits
	time.Sleep(50 * time.Millisecond)
	io.WriteString(client, "a")
	<-left
	io.WriteString(client, "b")
	if got := <-read; got != "b" {
		t.Errorf("%q was read, want what came in", got)
	}
}
