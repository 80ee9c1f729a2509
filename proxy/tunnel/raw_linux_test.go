package tunnel

import (
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
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

// inLoops joins two sockets as an event loop of their own serves them.
func inLoops(t *testing.T, front, back *net.TCPConn, o Options) (moved Moved) {
	looptest.Do(t, func(task *loop.Task) {
		client, member := task.NewFd(dup(t, front)), task.NewFd(dup(t, back))
		defer client.Close(task)
		defer member.Close(task)
		moved = JoinInLoop(task, End{Fd: client}, End{Fd: member}, o)
	})
	return moved
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
