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

// wake has a task go on whose wait is over.
func (t *Task) wake(by *Task) {
	switch {
	case t.done != nil: // it stands for a goroutine
		t.timedOut = false
		t.done <- struct{}{}
	case by == nil || t.loop != by.loop || !by.acquireLoop():
		t.loop.enqueue(message{kind: msgWake, task: t})
	default:
		t.timedOut = false
		t.loop.soon.push(runnable{task: t})
		by.releaseLoop()
	}
}
