//go:build !linux

package loop

import (
	"os"
	"sync"
	"time"
)

// Event is what one waits for and others bring about. Once set it ends one wait, the one that is under way or the
// next; to set it again meanwhile changes nothing. The zero value is not set.
type Event struct {
	once sync.Once
	set  chan struct{}
}

func (e *Event) signal() chan struct{} {
	e.once.Do(func() { e.set = make(chan struct{}, 1) })
	return e.set
}

// Wait waits until the event is set, at most as long as timeout says: then the error is os.ErrDeadlineExceeded. One
// at a time waits.
func (e *Event) Wait(_ *Task, timeout time.Duration) error {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-e.signal():
		return nil
	case <-t.C:
		return os.ErrDeadlineExceeded
	}
}

// Set ends a wait.
func (e *Event) Set(*Task) {
	select {
	case e.signal() <- struct{}{}:
	default:
	}
}
