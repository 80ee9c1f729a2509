package loop

import (
	"testing"
	"time"
)

// TestTimerStaysSetWhileTasksWait: a loop whose tasks wait leaves the watchdog's timer set, until that has woken the
// watchdog in vain; then it stops it for a while, as one with nothing to do always does.
func TestTimerStaysSetWhileTasksWait(t *testing.T) {
	l := &Loop{}
	list := []*Loop{l}
	l.sleeping.Store(true)
	var w watch
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	looks := make(chan struct{})
	go func() {
		w.wait(list)
		close(looks)
	}()
	reaches := func(state uint32) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); w.state.Load() != state; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("state is %d and never %d", w.state.Load(), state)
			}
		}
	}
	// turn wakes the loop and has it sleep again, in much less time than the timer needs.
	turn := func(soon bool) (state uint32, vain int32) {
		for {
			reaches(watchStopped)
			began, before := time.Now(), w.vain.Load()
			l.sleeping.Store(false)
			w.wakes()
			l.sleeping.Store(true)
			w.sleeps(list, soon)
			if state, vain = w.state.Load(), w.vain.Load(); time.Since(began) < interval/2 {
				return state, vain - before
			}
		}
	}
	if s, v := turn(false); s != watchStopped || v != 0 {
		t.Errorf("nothing to do: state %d, vain %+d", s, v)
	}
	if s, v := turn(true); s != watchSet || v != 0 {
		t.Errorf("tasks wait: state %d, vain %+d", s, v)
	}
	for end := time.Now().Add(10 * time.Second); w.vain.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the watchdog was not woken")
		}
	}
	if s, v := turn(true); s != watchStopped || v != -1 {
		t.Errorf("tasks wait after a lesson: state %d, vain %+d", s, v)
	}
	l.sleeping.Store(false) // and stays awake
	w.wakes()
	select {
	case <-looks:
	case <-time.After(10 * time.Second):
		t.Error("the watchdog does not look at a loop that is awake")
	}
	w.close()
}
