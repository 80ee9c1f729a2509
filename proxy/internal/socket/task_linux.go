package socket

import (
	"iter"
	"os"
	"sync/atomic"
	"time"

	"balancerd/proxy/recovery"
)

// Job is what a Task does. Run returns when it is done, or when what it serves is parked.
type Job interface{ Run(t *Task) }

// Task is a coroutine of a Loop: while it waits for a socket its stack is kept, and the loop goes on
// with others. When it takes too long, or has to wait for anything but sockets, the loop gets another
// goroutine, and the task goes on as any goroutine does: then it is away, until it waits for a socket
// again (Leave) or for the rest of its job (Apart).
type Task struct {
	loop  *Loop
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	// Owned by the task while it runs, by its loop while it waits.
	job   Job
	seq   uint64 // of the loop's state when it was resumed
	out   bool   // the loop is held: see here
	away  bool
	apart bool  // it does not come back
	late  bool  // the wait ended without what was waited for
	at    *slot // where it waits
	end   timer // of its wait

	// Owned by the task while it is away, by its loop from its mailWait on.
	want  *slot // where it is going to wait
	until int64 // how long

	wake chan struct{} // of one that stands for a goroutine: its wait is over
}

func newTask(l *Loop) *Task {
	t := &Task{loop: l}
	t.end.task = t
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		for {
			t.do()
			t.job = nil
			if !t.here() || !yield(struct{}{}) {
				return
			}
		}
	})
	return t
}

// do does the job. One that panics is over; what it held is its own to let go.
func (t *Task) do() {
	defer recovery.Catch("running a task of an event loop")
	t.job.Run(t)
}

// here tells whether the loop is still the task's; if so it is left alone by others until the task
// yields or calls back. Everything of the loop's may be touched in between.
func (t *Task) here() bool {
	if t.out || t.away {
		return t.out
	}
	t.out = t.loop.state.CompareAndSwap(t.seq<<1|1, t.seq<<1)
	t.away = !t.out
	return t.out
}

// back ends what here began.
func (t *Task) back() {
	t.out = false
	t.loop.state.Store(t.seq<<1 | 1)
}

// Leave is to be called before anything that may take long: the loop goes on without the task.
func (t *Task) Leave() {
	if t != nil && t.here() {
		t.out, t.away = false, true
		t.loop.handOver()
	}
}

// Apart is Leave for the rest of the job: for one that waits for other goroutines in between.
func (t *Task) Apart() {
	if t != nil {
		t.Leave()
		t.apart = true
	}
}

// wait waits until what the slot stands for happens, at most as long as timeout says.
func (t *Task) wait(s *slot, timeout time.Duration) error {
	if s.take() {
		return nil
	}
	switch {
	case t.apart:
		return t.loop.group.block(s, timeout)
	case t.here():
		t.at, t.late = s, false
		if !s.put(t) {
			t.at = nil
			t.back()
			return nil
		}
		t.loop.wheel.set(&t.end, t.loop.now+int64(timeout))
	default:
		t.want, t.until = s, t.loop.group.clock()+int64(timeout)
	}
	t.yield(struct{}{})
	if t.late {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// carried is for who began or resumed a task that has yielded, or ended, while it was away.
func (t *Task) carried() {
	if t.job != nil {
		t.loop.postLater(mail{kind: mailWait, task: t})
	}
}

// block is wait as any goroutine does it.
func (g *Loops) block(s *slot, timeout time.Duration) error {
	w := g.waiters.Get().(*Task)
	defer g.waiters.Put(w)
	w.late = false
	if !s.put(w) {
		return nil
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-w.wake:
	case <-timer.C:
		if s.drop(w) {
			return os.ErrDeadlineExceeded
		}
		<-w.wake
	}
	if w.late {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// slot is where one direction of a socket meets who waits for it.
type slot struct{ p atomic.Pointer[Task] }

// Marks in a slot; nothing is ever written to them.
var (
	edge   Task // something happened, and nobody has seen to it
	parked Task // the socket's job is to be run when something happens
)

// take takes a mark away.
func (s *slot) take() bool { return s.p.Load() == &edge && s.p.CompareAndSwap(&edge, nil) }

// put has t wait. false: something happened meanwhile.
func (s *slot) put(t *Task) bool {
	return s.p.CompareAndSwap(nil, t) || !s.p.CompareAndSwap(&edge, nil) && s.p.CompareAndSwap(nil, t)
}

// drop has t wait no longer. false: it was woken.
func (s *slot) drop(t *Task) bool { return s.p.CompareAndSwap(t, nil) }

// happen tells who waits, or leaves a mark.
func (s *slot) happen() *Task {
	for {
		t := s.p.Load()
		switch t {
		case &edge:
			return nil
		case nil:
			if s.p.CompareAndSwap(nil, &edge) {
				return nil
			}
		default:
			if s.p.CompareAndSwap(t, nil) {
				return t
			}
		}
	}
}
