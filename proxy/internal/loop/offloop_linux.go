package loop

import (
	"sync/atomic"

	"balancerd/proxy/recovery"
)

// maxIdleGoroutines is how many goroutines of the off-loop pool wait for a task at most.
const maxIdleGoroutines = 16

// offloopPool is goroutines that begin jobs beside the loops.
type offloopPool struct {
	tasks chan *Task    // for goroutines that wait for one
	idle  atomic.Int32  // how many do
	over  chan struct{} // closed with the group
}

// runOffLoop begins a job beside the loop, on a goroutine of the pool. From its first wait for a socket on the
// job is the loop's.
func (l *Loop) runOffLoop(j Job) {
	t := l.idleTask()
	t.job = j
	t.on(evOffLoop)
	select {
	case l.group.pool.tasks <- t:
	default:
		recovery.Go("running tasks beside the event loops", func() { l.group.pool.work(t) })
	}
}

// work begins one task after the other.
func (p *offloopPool) work(t *Task) {
	for {
		t.resume()
		t.yielded()
		if p.idle.Add(1) > maxIdleGoroutines {
			p.idle.Add(-1)
			return
		}
		select {
		case t = <-p.tasks:
			p.idle.Add(-1)
		case <-p.over:
			return
		}
	}
}
