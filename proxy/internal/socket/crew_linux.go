package socket

import "balancerd/proxy/recovery"

// resting is how many goroutines wait for a task at most.
const resting = 16

// beside does a job beside the loop, on a goroutine that may have done others before, until it has to
// wait for a socket: from then on the loop does it.
func (l *Loop) beside(j Job) {
	t := l.spare()
	t.job, t.at, t.out, t.away = j, nil, false, true
	select {
	case l.group.crew <- t:
	default:
		recovery.Go("running tasks beside the event loops", func() { l.group.work(t) })
	}
}

// work begins one task after the other.
func (g *Loops) work(t *Task) {
	for {
		t.next()
		t.carried()
		if g.idle.Add(1) > resting {
			g.idle.Add(-1)
			return
		}
		select {
		case t = <-g.crew:
			g.idle.Add(-1)
		case <-g.over:
			return
		}
	}
}
