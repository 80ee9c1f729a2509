package tunnel

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/sys"
	"balancerd/testdata/linear"
)

// plain is a Stream that shows its socket.
type plain struct {
	stream
	io loop.Stream
}

func (p plain) Socket() loop.Stream { return p.io }

func rawStream(c *net.TCPConn) exchange.Stream {
	s := &loop.PollStream{}
	s.Open(c, 0)
	return plain{stream{c}, s}
}

// dup is another descriptor of a socket.
func dup(t *testing.T, c syscall.Conn) uintptr {
	rc, err := c.SyscallConn()
	if err != nil {
		t.Error(err)
		return 0
	}
	n, e := uintptr(0), syscall.Errno(0)
	rc.Control(func(fd uintptr) { n, e = sys.Dup(fd) })
	if e != 0 {
		t.Error(e)
	}
	return n
}

// job is a function as a loop's job.
type job func(*loop.Task)

func (f job) Run(t *loop.Task) { f(t) }

// inLoops joins two sockets as an event loop of their own serves them.
func inLoops(t *testing.T, front, back *net.TCPConn, o Options) (moved Moved) {
	onLoop(t, func(task *loop.Task) {
		client, member := task.NewFd(dup(t, front)), task.NewFd(dup(t, back))
		defer client.Close(task)
		defer member.Close(task)
		moved = JoinInLoop(task, End{Fd: client}, End{Fd: member}, o)
	})
	return moved
}

// onLoop has a task of an event loop do something: as the job of a connection that it has accepted.
func onLoop(t *testing.T, do job) {
	g, err := loop.NewGroup(1)
	if err != nil {
		t.Error(err)
		return
	}
	defer g.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return
	}
	defer l.Close()
	done := make(chan struct{})
	serve := func(task *loop.Task) {
		defer close(done)
		do(task)
	}
	stop, err := g.Listen([]uintptr{dup(t, l.(*net.TCPListener))}, loop.Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (loop.Job, bool) {
			sys.Close(conn)
			return job(serve), false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	if err != nil {
		t.Error(err)
		return
	}
	defer stop()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	<-done
}

// TestATripAllocatesNothing: bytes that go to and fro in an event loop leave nothing to the collector of garbage.
func TestATripAllocatesNothing(t *testing.T) {
	if poison.On || linear.Race {
		t.Skip("pools keep nothing there")
	}
	j := newJoined(t, inLoops, Options{Idle: 5 * time.Second})
	p := make([]byte, 1024)
	trips := func(n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			for _, way := range [...][2]*net.TCPConn{{j.client, j.member}, {j.member, j.client}} {
				way[0].Write(p)
				if _, err := io.ReadFull(way[1], p); err != nil {
					t.Fatal(err)
				}
			}
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	trips(10)
	if got := trips(500); got > 100 {
		t.Errorf("%d allocations for 500 trips", got)
	}
	j.client.Close()
	j.member.Close()
	j.over(t, 2*time.Second)
}
