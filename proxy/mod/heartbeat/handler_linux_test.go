package heartbeat

import (
	"strings"
	"sync/atomic"
	"testing"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
)

// TestPostsDoNotHoldUpALoop: while the file is written, which may take long, a report by POST waits for it, and the
// event loop goes on with others.
func TestPostsDoNotHoldUpALoop(t *testing.T) {
	var blocked atomic.Value
	loop.ReportBlocking(func(stack string) { blocked.Store(stack) })
	defer loop.ReportBlocking(nil)
	r := newRig(t, nil, "HeartbeatMaxServers 0\nHeartbeatStorage "+t.TempDir()+"/hb.dat\n")
	m := monitorOf(r)
	m.mu.Lock() // the file is being written
	other := make(chan struct{})
	go func() {
		<-other
		m.mu.Unlock()
	}()
	var served error
	looptest.Do(t, func(task *loop.Task) {
		task.Spawn(looptest.Job(func(*loop.Task) { close(other) }))
		x := &exchange.Exchange{Task: task, Conn: &exchange.Conn{RemoteIP: "127.0.0.1"}, Server: &exchange.Server{}}
		x.Req.Method, x.Req.Body = "POST", &text{strings.NewReader("ready=5&busy=1")}
		served = m.serve(x, true)
	})
	if stack := blocked.Load(); stack != nil {
		t.Errorf("the loop stood still:\n%s", stack)
	}
	if served != nil {
		t.Error(served)
	}
}
