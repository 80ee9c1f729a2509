package backend

import (
	"syscall"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
)

// watched is a connection that a task's loop watches.
func watched(t *testing.T, task *loop.Task) *Conn {
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(p[1]) })
	c := &Conn{}
	c.openOwn(task.NewFd(uintptr(p[0])))
	c.serve(task)
	c.io.Read(make([]byte, 1), time.Millisecond) // a wait: from now on the loop watches it
	return c
}

// TestLoopsKeepTheirConnections: a connection moves to another loop only while none is in use.
func TestLoopsKeepTheirConnections(t *testing.T) {
	s := &idleList{}
	p := &pool{addrs: &addressCache{}}
	looptest.Do(t, func(task *loop.Task) {
		for range 3 {
			c := watched(t, task)
			s.list = append(s.list, c)
			t.Cleanup(func() { c.own.Close(nil) })
		}
		p.open, p.idle = 3, 3
		if got := p.best(s, task, &balancer.WorkerSettings{}); got != 2 {
			t.Errorf("the loop's own: %d, want the one used last, 2", got)
		}
	})
	looptest.Do(t, func(task *loop.Task) {
		for _, c := range []struct{ open, max, want int }{{3, 0, 2}, {4, 0, -1}, {8, 0, -1}, {8, 9, -1}, {8, 8, 2}} {
			p.open = c.open
			if got := p.best(s, task, &balancer.WorkerSettings{Max: c.max}); got != c.want {
				t.Errorf("another loop's, %d open of at most %d: %d, want %d", c.open, c.max, got, c.want)
			}
		}
		own := watched(t, task)
		t.Cleanup(func() { own.own.Close(nil) })
		s.list = append([]*Conn{own}, s.list...)
		p.idle++
		if got := p.best(s, task, &balancer.WorkerSettings{}); got != 0 {
			t.Errorf("beside another loop's: %d, want its own, 0", got)
		}
	})
}
