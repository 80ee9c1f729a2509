package loop

import "time"

// Sleep lets a time pass. A task costs no goroutine while it does: its loop's timer resumes it. Without a task
// the goroutine sleeps.
func (t *Task) Sleep(d time.Duration) {
	if t == nil {
		time.Sleep(d)
		return
	}
	var nothing pollDesc // which no event is for
	t.wait(&nothing, d)
}
