package looptest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// shown is how many stacks of blocking calls are printed.
const shown = 3

// Main runs a package's tests and ends the program. No test may block in an event loop: who does so without
// exchange.Block is seen by the loops' watchdog, and its stack is shown.
func Main(m *testing.M) {
	var found atomic.Int32
	loop.ReportBlocking(func(stack string) {
		if found.Add(1) <= shown {
			fmt.Fprintf(os.Stderr, "a blocking call in an event loop, without Block:\n%s\n\n", stack)
		}
	})
	code := m.Run()
	if n := found.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: %d blocking calls in event loops\n", n)
		code = 1
	}
	os.Exit(code)
}

// Job is a function as a loop.Job.
type Job func(*loop.Task)

// Run calls it.
func (j Job) Run(t *loop.Task) { j(t) }

// Do has a task of an event loop do something, and returns when that is done: as the job of a connection that the loop
// has accepted. The loop ends with the test. Any goroutine of the test may call it.
func Do(t testing.TB, f func(*loop.Task)) {
	t.Helper()
	done := make(chan struct{})
	address, stop, err := accepting(t, func(task *loop.Task) {
		defer close(done)
		f(task)
	})
	if err != nil {
		t.Error(err)
		return
	}
	defer stop()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	<-done
}

// accepting is the address of a listener whose connections, closed at once, begin a job in a loop of their own, until stop is called.
func accepting(t testing.TB, job Job) (address string, stop func(), err error) {
	g, err := loop.NewGroup(1)
	if err != nil {
		return "", nil, err
	}
	t.Cleanup(g.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	defer l.Close() // the loop has a duplicate
	rc, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return "", nil, err
	}
	fd, no := uintptr(0), syscall.Errno(0)
	rc.Control(func(n uintptr) { fd, no = sys.Dup(n) })
	if no != 0 {
		return "", nil, no
	}
	stop, err = g.Listen([]uintptr{fd}, loop.Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (loop.Job, bool) {
			sys.Close(conn)
			return job, false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	return l.Addr().String(), stop, err
}
