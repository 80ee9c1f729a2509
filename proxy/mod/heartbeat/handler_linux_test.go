package heartbeat

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/sys"
)

// job is a function as a loop's job.
type job func(t *loop.Task)

func (f job) Run(t *loop.Task) { f(t) }

// TestPostsDoNotHoldUpALoop: while the file is written, which may take long, a report by POST waits for it, and the
// event loop goes on with others.
func TestPostsDoNotHoldUpALoop(t *testing.T) {
	var blocked atomic.Value
	loop.ReportBlocking(func(stack string) { blocked.Store(stack) })
	defer loop.ReportBlocking(nil)
	r := newRig(t, nil, "HeartbeatMaxServers 0\nHeartbeatStorage "+t.TempDir()+"/hb.dat\n")
	m := monitorOf(r)
	m.mu.Lock() // the file is being written
	var served error
	done, other := make(chan struct{}), make(chan struct{})
	inLoop(t, func(task *loop.Task) {
		defer close(done)
		task.Spawn(job(func(*loop.Task) { close(other) }))
		x := &exchange.Exchange{Task: task, Conn: &exchange.Conn{RemoteIP: "127.0.0.1"}, Server: &exchange.Server{}}
		x.Req.Method, x.Req.Body = "POST", &text{strings.NewReader("ready=5&busy=1")}
		served = m.serve(x, true)
	})
	<-other
	m.mu.Unlock()
	<-done
	if stack := blocked.Load(); stack != nil {
		t.Errorf("the loop stood still:\n%s", stack)
	}
	if served != nil {
		t.Error(served)
	}
}

// inLoop begins a job of an event loop: that of a connection it accepts.
func inLoop(t *testing.T, do job) {
	t.Helper()
	g, err := loop.NewGroup(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	rc, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	fd, no := uintptr(0), syscall.Errno(0)
	rc.Control(func(n uintptr) { fd, no = sys.Dup(n) })
	if no != 0 {
		t.Fatal(no)
	}
	stop, err := g.Listen([]uintptr{fd}, loop.Accept{
		Job: func(conn uintptr, _ netip.AddrPort) (loop.Job, bool) {
			sys.Close(conn)
			return do, false
		},
		HasRoom: func(uintptr) bool { return true },
		Failed:  func(e syscall.Errno) { t.Error(e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
