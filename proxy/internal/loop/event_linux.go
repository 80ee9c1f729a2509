package loop

import "time"

// Event is what one waits for and others bring about. Once set it ends one wait, the one that is under way or the
// next; to set it again meanwhile changes nothing. The zero value is not set.
type Event struct{ d pollDesc }

// Wait waits until the event is set, at most as long as timeout says: then the error is os.ErrDeadlineExceeded. One
// at a time waits. t is the task whose job calls it; nil: an ordinary goroutine does.
func (e *Event) Wait(t *Task, timeout time.Duration) error {
	switch {
	case t != nil:
		return t.wait(&e.d, timeout)
	case e.d.takeReady():
		return nil
	}
	return waitAsGoroutine(&e.d, timeout)
}

// Set ends a wait. by is the task whose job calls it; nil: an ordinary goroutine does.
func (e *Event) Set(by *Task) {
	if t := e.d.event(); t != nil {
		t.wake(by)
	}
}

// wake has a task go on whose wait is over. by is the task whose job calls it; nil: an ordinary goroutine does.
func (t *Task) wake(by *Task) {
	if by == nil || !by.acquireLoop() {
		t.goOn(nil)
		return
	}
	t.goOn(by.loop)
	by.releaseLoop()
}

// goOn has a task go on whose wait is over, once what its loop is at is done. owned is the loop that the caller may touch;
// nil: none.
func (t *Task) goOn(owned *Loop) {
	switch {
	case t.done != nil: // it stands for a goroutine
		t.timedOut = false
		t.done <- struct{}{}
	case t.loop != owned:
		t.loop.enqueue(message{kind: msgWake, task: t})
	default:
		t.timedOut = false
		owned.soon.push(runnable{task: t})
	}
}
