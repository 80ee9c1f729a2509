package loop

import (
	"fmt"
	"sync/atomic"
)

// This file decides who may touch what a Loop owns: its timers, its list of idle tasks, its events.
//
// A loop is run by one goroutine at a time. A task is a coroutine of that goroutine, so while the task's job
// runs, the loop stands still. If the job takes long, the watchdog revokes the loop: another goroutine runs it
// from then on, and the task is an ordinary goroutine beside it. The task learns of that when it next wants the
// loop (acquireLoop). Who says beforehand that it may block gives the loop up itself (Block).
//
//	              resume             acquire              wait
//	idle, waiting ───────> running <─────────> holding ──────────> waiting
//	                          │      release      │  └── end ────> idle
//	                   revoked│                   │block
//	                          └────> detached <───┘
//	                                  │    │  └─ detachForGood ──> detachedForGood ── end ──> ended
//	                              wait│    └── end ──> ended
//	                                  v
//	                              returning ── readopt ──> waiting, or ── resume ──> running

// taskState says where a task is. The goroutine that runs the task writes it; while the task waits or is idle,
// that is its loop's goroutine.
type taskState uint8

const (
	idle            taskState = iota // it has no job: it is on its loop's list, or about to begin one
	running                          // its job runs in the loop's goroutine; the loop may be revoked
	holding                          // the same, and the loop can't be revoked: the task may touch what the loop owns
	waiting                          // it has yielded to its loop, which resumes it when its socket is ready or its time is over
	detached                         // another goroutine runs the loop; the next wait for a socket brings the task back
	detachedForGood                  // the same, and it waits for sockets as any goroutine does
	returning                        // it was detached and has yielded to wait: its loop is told by its queue
	ended                            // its coroutine is over
	taskStates
)

var stateNames = [taskStates]string{"idle", "running", "holding", "waiting", "detached", "detachedForGood", "returning", "ended"}

func (s taskState) String() string { return stateNames[s] }

// taskEvent is what changes a task's state.
type taskEvent uint8

const (
	evResume        taskEvent = iota // its loop's goroutine runs it
	evAcquire                        // it has acquired the loop
	evRelease                        // it has released the loop
	evRevoked                        // it finds that the watchdog has revoked the loop
	evBlock                          // it gives the loop to another goroutine
	evOffLoop                        // its job begins beside the loop
	evDetachForGood                  // it will not come back to the loop
	evWait                           // it yields to wait for a socket
	evReadopt                        // its loop has it wait as one of its own again
	evEnd                            // its job is done
	taskEvents
)

var eventNames = [taskEvents]string{"resume", "acquire", "release", "revoked", "block", "off-loop", "detach for good", "wait", "readopt", "end"}

func (e taskEvent) String() string { return eventNames[e] }

// none marks a transition that does not exist.
const none = taskStates

// transitions is every way from one state to another: by state, then by event in the order of the constants.
var transitions = [taskStates][taskEvents]taskState{
	//                resume   acquire  release  revoked   block     off-loop  for good         wait       readopt  end
	idle:            {running, none, none, none, none, detached, none, none, none, none},
	running:         {none, holding, none, detached, none, none, none, none, none, none},
	holding:         {none, none, running, none, detached, none, none, waiting, none, idle},
	waiting:         {running, none, none, none, none, none, none, none, none, none},
	detached:        {none, none, none, none, none, none, detachedForGood, returning, none, ended},
	detachedForGood: {none, none, none, none, none, none, detachedForGood, none, none, ended},
	returning:       {running, none, none, none, none, none, none, none, waiting, none},
	ended:           {none, none, none, none, none, none, none, none, none, none},
}

// on moves the task to its next state. A transition that is not in the table is a fault of this package.
func (t *Task) on(e taskEvent) {
	next := transitions[t.state][e]
	if next == none {
		panic(fmt.Sprintf("loop: a task that is %v can't %v", t.state, e))
	}
	t.state = next
}

// offLoop reports whether another goroutine than the task's runs the loop, as far as the task knows.
func (t *Task) offLoop() bool { return t.state >= detached }

// ownership is one atomic word of a loop: the number of the run of a task that is under way or was the last,
// and whether that task's job runs, so that the loop may be revoked. Else it may not: the loop's goroutine, or
// the task, is touching what the loop owns.
type ownership struct{ word atomic.Uint64 }

const revocable = 1

// begin makes the loop revocable: the loop's goroutine runs a task's job next.
func (o *ownership) begin(run uint64) { o.word.Store(run<<1 | revocable) }

// acquire makes it irrevocable. false: it was revoked since this run began.
func (o *ownership) acquire(run uint64) bool {
	return o.word.CompareAndSwap(run<<1|revocable, run<<1)
}

// release ends what acquire began.
func (o *ownership) release(run uint64) { o.word.Store(run<<1 | revocable) }

// revoke takes the loop away from the run that word tells of. false: that run is not in its job any more.
func (o *ownership) revoke(word uint64) bool {
	return word&revocable != 0 && o.word.CompareAndSwap(word, word&^revocable)
}

// begin makes t the task that runs; its coroutine is to be resumed next.
func (l *Loop) begin(t *Task) {
	if t.state == waiting {
		l.waiting--
	}
	t.waitsFor = nil
	t.on(evResume)
	l.run++
	t.run = l.run
	l.owner.begin(t.run)
}

// acquireLoop reports whether the loop is still the task's. If it is, nobody revokes it until the task yields
// or releases it, and the task may touch what the loop owns.
func (t *Task) acquireLoop() bool {
	switch {
	case t.state == holding:
		return true
	case t.state != running:
		return false
	case t.loop.owner.acquire(t.run):
		t.on(evAcquire)
		return true
	}
	t.on(evRevoked)
	return false
}

// releaseLoop ends what acquireLoop began: the job goes on.
func (t *Task) releaseLoop() {
	t.on(evRelease)
	t.loop.owner.release(t.run)
}

// Block is to be called before anything that may block or compute for long: another goroutine runs the loop
// meanwhile. The task is the loop's again from its next wait for a socket on, so what blocks after that needs
// another call. Nothing happens if t is nil: an ordinary goroutine may block.
func (t *Task) Block() {
	if t != nil && t.acquireLoop() {
		t.on(evBlock)
		t.loop.start()
	}
}

// Detach is Block for the rest of the job: for one that waits for other goroutines between its waits for
// sockets.
func (t *Task) Detach() {
	if t == nil {
		return
	}
	t.Block()
	t.on(evDetachForGood)
}

// readopt has a task that was detached and yielded wait as the loop's own, or resumes it if its socket has
// become ready meanwhile. false: the loop is another goroutine's.
func (l *Loop) readopt(t *Task) bool {
	t.timedOut, t.waitsFor = false, t.next.desc
	if !t.waitsFor.wait(t) {
		return l.resume(t)
	}
	t.on(evReadopt)
	l.waiting++
	l.wheel.set(&t.timer, t.next.until)
	return true
}
