package loop

import (
	"iter"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/proxy/recovery"
)

// Job is what a Task does. Run returns when it is done, or when the socket that it serves is parked.
type Job interface{ Run(t *Task) }

// Task is a coroutine of a Loop: while it waits for a socket its stack is kept, and the loop goes on with
// others. Who owns the loop meanwhile is decided in owner_linux.go.
type Task struct {
	loop   *Loop
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool

	// Owned by the task while its job runs, by its loop while it waits.
	state    taskState
	run      uint64 // the number of its last run, of its loop
	job      Job
	timedOut bool      // the wait ended because its time was over
	waitsFor *pollDesc // nil while it does not wait
	timer    timer     // of its wait

	// Written by a detached task before it yields, read by its loop when that readopts it.
	next struct {
		desc  *pollDesc
		until int64 // by the group's clock
	}

	// done ends a goroutine's wait; only a Task that stands for a goroutine has it (waitAsGoroutine).
	done chan struct{}

	id atomic.Value // a string: the name of its coroutine's goroutine, while blocking calls are reported
}

func newTask(l *Loop) *Task {
	t := &Task{loop: l}
	t.timer.task = t
	t.resume, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		t.identify()
		for {
			t.do()
			t.job = nil
			t.acquireLoop()
			t.on(evEnd)
			if t.state == ended || !yield(struct{}{}) {
				return
			}
		}
	})
	return t
}

// do does the job. One that panics is over; what it held it has to let go itself.
func (t *Task) do() {
	defer recovery.Catch("running a task of an event loop")
	t.job.Run(t)
}

// wait waits until d is ready, at most as long as timeout says: then the error is os.ErrDeadlineExceeded.
func (t *Task) wait(d *pollDesc, timeout time.Duration) error {
	if d.takeReady() {
		return nil
	}
	switch {
	case t.state == detachedForGood:
		return waitAsGoroutine(d, timeout)
	case t.acquireLoop():
		t.waitsFor, t.timedOut = d, false
		if !d.wait(t) {
			t.waitsFor = nil
			t.releaseLoop()
			return nil
		}
		t.loop.wheel.set(&t.timer, t.loop.now+int64(timeout))
	default:
		t.next.desc, t.next.until = d, t.loop.group.clock()+int64(timeout)
	}
	t.on(evWait)
	t.yield(struct{}{})
	if t.timedOut {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// yielded is to be called by the goroutine that resumed a task which was detached, or began beside the loop,
// once the task has yielded or ended: now its loop may be told of it.
func (t *Task) yielded() {
	if t.state == returning {
		t.loop.enqueueSoon(message{kind: msgReadopt, task: t})
	}
}

// waiters are *Task, of goroutines that wait as tasks do.
var waiters = sync.Pool{New: func() any { return &Task{done: make(chan struct{}, 1)} }}

// waitAsGoroutine is Task.wait for who is no task of a loop's.
func waitAsGoroutine(d *pollDesc, timeout time.Duration) error {
	w := waiters.Get().(*Task)
	defer waiters.Put(w)
	w.timedOut = false
	if !d.wait(w) {
		return nil
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
		if d.cancel(w) {
			return os.ErrDeadlineExceeded
		}
		<-w.done
	}
	if w.timedOut {
		return os.ErrDeadlineExceeded
	}
	return nil
}
